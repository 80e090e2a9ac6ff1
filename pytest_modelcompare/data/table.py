"""A file's columns as text: csv, tsv, jsonl and parquet, each also gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pytest_modelcompare.errors import DataError

Cell = str | None
LARGEST_CELL = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; a null cell is None."""

    columns: Mapping[str, list[Cell]]
    where: str
    first_row: int = 1
    """What the first row is called in messages: 2 in a csv file, whose line 1 is the header."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def column(self, name: str) -> list[Cell]:
        """A column by name.

        Raises:
            DataError: there is none; names the nearest.
        """
        if name in self.columns:
            return self.columns[name]
        near = get_close_matches(name, list(self.columns), 1)
        has = ", ".join(self.columns)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise DataError(f"no column `{name}`", where=self.where, fix=f"{hint}it has {has}")

    def picked(self, rows: Iterable[int]) -> Table:
        rows = list(rows)
        return Table(
            {name: [cells[row] for row in rows] for name, cells in self.columns.items()}, self.where, self.first_row
        )


def read_table(path: Path, name: str | None = None) -> Table:
    """Read a file by its suffix.

    Args:
        name: what to call it and tell its format by, where the path itself does not (a stored download).

    Raises:
        DataError: it is missing, of an unknown format, no UTF-8, ragged or empty.
    """
    named = Path(name or path.name)
    gzipped = named.suffix == ".gz"
    suffix = Path(named.stem).suffix if gzipped else named.suffix
    where = name or str(path)
    try:
        if suffix == ".parquet":
            return from_parquet(path, where, gzipped=gzipped)
        if suffix not in READERS:
            known = ", ".join([*READERS, ".parquet"])
            raise DataError(
                f"unknown format `{suffix or named.name}`",
                where=where,
                fix=f"known: {known}, each also .gz, or a `datasets` folder",
            )
        text = decoded(gzip.decompress(path.read_bytes()) if gzipped else path.read_bytes(), where)
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"is no whole gzip file: {error}", where=where) from error
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}", where=where, fix="paths are relative to the suite file"
        ) from error
    return READERS[suffix](text, where)


def decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"byte 0x{content[error.start]:02x} at position {error.start} (line {line}) is no UTF-8",
            where=where,
            fix="convert the file, for example with `iconv -f latin1 -t utf-8`",
        ) from error


def from_csv(text: str, where: str, delimiter: str = ",") -> Table:
    """A header line, then as many cells in each row."""
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        rows = list(whole_rows(reader, header, where))
    except csv.Error as error:
        raise DataError(f"line {reader.line_num}: {error}", where=where) from error
    if not header:
        raise DataError("is empty", where=where)
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise DataError(f"two columns are named `{sorted(doubled)[0]}`", where=where)
    if not rows:
        raise DataError("has a header and no rows", where=where)
    return Table({name: list(cells) for name, cells in zip(header, zip(*rows, strict=True), strict=True)}, where, 2)


def whole_rows(reader: Any, header: list[str], where: str) -> Iterator[list[str]]:
    for row in reader:
        if not row:
            continue
        if len(row) != len(header):
            raise DataError(
                f"line {reader.line_num} has {len(row)} cells, the header has {len(header)}",
                where=where,
                fix="quote texts that hold the separator",
            )
        yield row


def from_tsv(text: str, where: str) -> Table:
    return from_csv(text, where, "\t")


def from_jsonl(text: str, where: str) -> Table:
    """One JSON object per line."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"line {number} is no JSON: {error}", where=where) from error
        if not isinstance(row, dict):
            raise DataError(f"line {number} is no JSON object", where=where)
        rows.append(row)
    return from_rows(rows, where)


def from_rows(rows: list[dict[str, Any]], where: str) -> Table:
    if not rows:
        raise DataError("is empty", where=where)
    names = dict.fromkeys(name for row in rows for name in row)
    return Table({name: [cell(row.get(name)) for row in rows] for name in names}, where)


def from_parquet(path: Path, where: str, *, gzipped: bool) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = io.BytesIO(gzip.decompress(path.read_bytes())) if gzipped else path
    try:
        table = pq.read_table(source)
    except pa.ArrowInvalid as error:
        raise DataError(f"is no parquet file: {error}", where=where) from error
    if table.num_rows == 0:
        raise DataError("has columns and no rows", where=where)
    return Table({name: [cell(value) for value in table[name].to_pylist()] for name in table.column_names}, where)


def cell(value: Any) -> Cell:
    """A cell as the text it would be in a csv file: 3 and 3.0 are both "3"."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


READERS = {".csv": from_csv, ".tsv": from_tsv, ".jsonl": from_jsonl, ".ndjson": from_jsonl}
