"""From a file, by its name and what the suite says of it, to a table: unpacked, decoded, read."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, Literal

from pytest_modelcompare.data.data_settings import FileSettings
from pytest_modelcompare.data.delimited import from_delimited
from pytest_modelcompare.data.text_table import Table, cell_text, from_rows
from pytest_modelcompare.data.workbook import from_xlsx
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.extras import require
from pytest_modelcompare.records.hints import first_few

Format = Literal["delimited", "json", "jsonl", "parquet", "xlsx"]
FORMATS: dict[str, Format] = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
OPTIONS_OF: dict[Format, tuple[str, ...]] = {
    "delimited": ("separator", "columns", "encoding"),
    "json": ("encoding",),
    "jsonl": ("encoding",),
    "parquet": (),
    "xlsx": ("columns", "sheet"),
}
"""What a suite can say of each format."""

OPTIONS = ("separator", "columns", "encoding", "sheet")
SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_file(path: Path, settings: FileSettings, name: str | None = None) -> Table:
    """Read a file by its suffix.

    Args:
        name: what to call it and tell its format by, where the path itself does not (a stored download).

    Raises:
        DataError: it is missing, of an unknown format, in another encoding, ragged or empty.
        NotInstalledError: what reads its format is not there.
    """
    where = name or str(path)
    try:
        content, inner = unpack(path.read_bytes(), where)
    except OSError as error:
        fix = "paths are relative to the suite file"
        raise DataError(f"cannot be read: {error.strerror}", where=where, fix=fix) from error
    suffix = PurePath(inner).suffix.lower()
    if suffix not in FORMATS:
        packed = ", ".join([*UNPACKERS, ".zip"])
        fix = f"known: {', '.join(FORMATS)}, each also packed ({packed}), or a `datasets` folder"
        raise DataError(f"unknown format `{suffix or PurePath(inner).name}`", where=where, fix=fix)
    article = "an" if suffix == ".xlsx" else "a"
    require_fitting(settings, OPTIONS_OF[FORMATS[suffix]], f"{article} {suffix.removeprefix('.')} file", where)
    return table_of(content, suffix, where, settings)


def require_fitting(settings: FileSettings, fitting: tuple[str, ...], what: str, where: str) -> None:
    """What is said of a source bears on it.

    Raises:
        DataError: it does not.
    """
    for option in OPTIONS:
        if getattr(settings, option) is not None and option not in fitting:
            raise DataError(f"`{option}:` says nothing about {what}", where=where, fix="leave it out")


def table_of(content: bytes, suffix: str, where: str, settings: FileSettings) -> Table:
    kind = FORMATS[suffix]
    if kind == "parquet":
        return from_parquet(content, where)
    if kind == "xlsx":
        return from_xlsx(content, where, settings.sheet, settings.columns)
    text = decode_text(content, where, settings.encoding)
    if kind == "delimited":
        separator = settings.separator or SEPARATORS.get(suffix)
        if separator is None:
            fix = "say `separator: tab`, or whatever stands between its cells"
            raise DataError("what separates the cells of a txt file?", where=where, fix=fix)
        return from_delimited(text, where, separator, settings.columns)
    return from_json(text, where) if kind == "json" else from_jsonl(text, where)


def from_parquet(content: bytes, where: str) -> Table:
    require("a parquet file", ["pyarrow"], where=where, otherwise="save it as csv")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"is no parquet file: {error}", where=where) from error
    if table.num_rows == 0:
        raise DataError("has columns and no rows", where=where)
    return Table({name: [cell_text(value) for value in table[name].to_pylist()] for name in table.column_names}, where)


JSON_KEY = "data"
JSON_SHAPES = 'it is read as a list of objects, as `{"data": [objects]}`, or as one object per line'


def from_jsonl(text: str, where: str) -> Table:
    """One JSON object per line."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"line {number} is no JSON: {error}", where=where) from error
        if not isinstance(row, dict):
            raise DataError(f"line {number} is no JSON object", where=where)
        rows.append(row)
    return from_rows(rows, where)


def from_json(text: str, where: str) -> Table:
    """A list of objects, alone or under `data`; or one object per line, which many call .json too.

    Raises:
        DataError: it is none of these.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if is_json_object(text.lstrip().partition("\n")[0]):
            return from_jsonl(text, where)
        at = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"is no JSON: {error.msg} ({at})", where=where, fix=JSON_SHAPES) from error
    except RecursionError as error:
        raise DataError("is nested too deeply", where=where, fix=JSON_SHAPES) from error
    rows = value.get(JSON_KEY) if isinstance(value, dict) else value
    if not isinstance(rows, list):
        holds = f"holds an object without a list under `{JSON_KEY}`" if isinstance(value, dict) else "holds no list"
        raise DataError(holds, where=where, fix=JSON_SHAPES)
    other = next((number for number, row in enumerate(rows, 1) if not isinstance(row, dict)), None)
    if other is not None:
        raise DataError(f"item {other} of the list is no object", where=where, fix=JSON_SHAPES)
    return from_rows(rows, where)


def is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db")
"""What file managers leave in an archive."""

MEMBERS_SHOWN = 5
"""Names of files, in a message."""

NOT_WHOLE = (EOFError, OSError, lzma.LZMAError, zlib.error, ValueError)
"""What the readers below raise where a file is cut or was never packed."""


def unpack(content: bytes, name: str) -> tuple[bytes, str]:
    """A file's content, and the name that tells its format.

    Raises:
        DataError: it is broken, locked, or an archive of several files.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix == ".zip":
        content, inner = from_zip(content, name)
        return unpack(content, inner) if PurePath(inner).suffix.lower() in UNPACKERS else (content, inner)
    if suffix not in UNPACKERS:
        return content, name
    if suffix == ".zst":
        require("a zst file", ["pyarrow"], where=name, otherwise="pack it as gz")
    try:
        return UNPACKERS[suffix](content), name[: -len(suffix)]
    except NOT_WHOLE as error:
        said = f"is no whole {suffix.removeprefix('.')} file: {error or type(error).__name__}"
        raise DataError(said, where=name, fix="fetch or pack it again") from error


def from_zip(content: bytes, name: str) -> tuple[bytes, str]:
    """The only file of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [one for one in archive.infolist() if not (one.is_dir() or is_litter(one.filename))]
            if len(members) != 1:
                inside = first_few([one.filename for one in members], MEMBERS_SHOWN)
                holds = f"holds {len(members):,} files ({inside})" if members else "holds no file"
                raise DataError(holds, where=name, fix="pack one file alone, or unpack it and name that file")
            return archive.read(members[0]), members[0].filename
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise DataError(f"is no whole zip file: {error}", where=name, fix="fetch or pack it again") from error
    except RuntimeError as error:
        raise DataError(f"is locked: {error}", where=name, fix="unpack it, or pack it without a password") from error


def is_litter(member: str) -> bool:
    return member.startswith(LITTER[0]) or PurePath(member).name in LITTER[1:]


def from_zstd(content: bytes) -> bytes:
    import pyarrow as pa

    with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
        found: bytes = stream.read()
    return found


UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": from_zstd,
}


BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What such files begin with; the longer marks first, as one begins with another."""

BYTE_ORDER_MARK = "\ufeff"
LOOKED_AT = 1000
"""Bytes in which text without a mark shows that it is UTF-16."""

BEFORE, AFTER = 12, 8
"""Bytes shown around one that cannot be read."""


def decode_text(content: bytes, where: str, encoding: str | None = None) -> str:
    """The text of a file: UTF-8, UTF-16 or UTF-32 with its mark, or as the suite says.

    Raises:
        DataError: it is none of these; says where, and what else it may be.
    """
    marked = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), None)
    chosen = encoding or marked or "utf-8"
    if chosen == "utf-8" and b"\0" in content[:LOOKED_AT]:
        order = "be" if content.startswith(b"\0") else "le"
        fix = f"if it is UTF-16 without a mark, say `encoding: utf-16-{order}`"
        raise DataError("its text is full of null characters", where=where, fix=fix)
    try:
        text = content.decode(chosen)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = f"byte 0x{content[error.start]:02x} at position {error.start:,} (line {line:,})"
        fix = other_encoding(content, error, encoding, marked)
        raise DataError(f"{byte} is no {chosen.upper()}", where=where, fix=fix) from error
    return text.removeprefix(BYTE_ORDER_MARK)


def other_encoding(content: bytes, error: UnicodeDecodeError, said: str | None, marked: str | None) -> str:
    """What to say where a byte does not fit: how the words around it read in the most common other encoding."""
    if said is None and marked is not None:
        return f"it begins as {marked.upper()}: fetch it again, its end may be missing"
    if said is not None and is_utf8(content):
        return "it reads as UTF-8: leave `encoding:` out"
    if said is not None and codecs.lookup(said).name == "cp1252":
        return "say another `encoding:`; `latin1` reads every byte, whether rightly or not"
    around = content[max(0, error.start - BEFORE) : error.start + AFTER].decode("cp1252", "replace")
    near = " ".join(around.splitlines()[around[:BEFORE].count("\n") :][:1]).strip()
    return f"say its `encoding:`; with `encoding: cp1252` this place reads `{near}`"


def is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
