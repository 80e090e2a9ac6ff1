"""From a file, by its name and what the suite says of it, to a table."""

from __future__ import annotations

import io
from pathlib import Path, PurePath
from typing import Literal

from pytest_modelcompare.data.decoding import decoded
from pytest_modelcompare.data.delimited import from_delimited
from pytest_modelcompare.data.json_rows import from_json, from_jsonl
from pytest_modelcompare.data.settings import FileSettings
from pytest_modelcompare.data.table import Table, cell
from pytest_modelcompare.data.unpacking import READERS as PACKED
from pytest_modelcompare.data.unpacking import unpacked
from pytest_modelcompare.data.workbook import from_xlsx
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.extras import require

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
SAID: dict[Format, tuple[str, ...]] = {
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
        content, inner = unpacked(path.read_bytes(), where)
    except OSError as error:
        fix = "paths are relative to the suite file"
        raise DataError(f"cannot be read: {error.strerror}", where=where, fix=fix) from error
    suffix = PurePath(inner).suffix.lower()
    if suffix not in FORMATS:
        packed = ", ".join([*PACKED, ".zip"])
        fix = f"known: {', '.join(FORMATS)}, each also packed ({packed}), or a `datasets` folder"
        raise DataError(f"unknown format `{suffix or PurePath(inner).name}`", where=where, fix=fix)
    article = "an" if suffix == ".xlsx" else "a"
    require_fitting(settings, SAID[FORMATS[suffix]], f"{article} {suffix.removeprefix('.')} file", where)
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
    text = decoded(content, where, settings.encoding)
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
    return Table({name: [cell(value) for value in table[name].to_pylist()] for name in table.column_names}, where)
