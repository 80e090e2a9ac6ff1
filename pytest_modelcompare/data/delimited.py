"""csv, tsv and their like."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pytest_modelcompare.data.text_table import Table, table_with_header
from pytest_modelcompare.errors import DataError

LARGEST_CELL = 2**31 - 1
SEPARATORS = ",;\t|"
EXCELS = re.compile(r"sep=([^\r\n])\r?\n")
LONGEST_NAME = 60
"""Characters; what stands in a header and is longer is more likely a text."""

NO_HEADER = "if its first line is no header, name its columns with `columns: […]`"


class OtherSeparator(DataError):
    """A file whose cells another character separates."""

    def __init__(self, cells: list[str], separator: str, where: str) -> None:
        said = '"\\t"' if separator == "\t" else f'"{separator}"'
        super().__init__(f"its only column is `{cells[0]}`", where=where, fix=f"say `separator: {said}`")
        self.separator = separator


def from_delimited(text: str, where: str, separator: str, names: list[str] | None) -> Table:
    """A header line, unless the columns are named, then as many cells in each row.

    A first line `sep=;`, as Excel writes and obeys it, is obeyed.

    Raises:
        DataError: it is empty or ragged, or its quotes do not close; says the line.
    """
    csv.field_size_limit(LARGEST_CELL)
    if said := EXCELS.match(text):
        separator, text = said[1], text[said.end() - 1 :]  # an empty line stays: the others keep their numbers
    lines = Lines(text, separator, where)
    rows = lines.rows()
    header = names if names is not None else next(rows, [])
    if not header:
        raise DataError("is empty", where=where)
    require_separated(header, separator, where)
    named = names is not None
    hint = NO_HEADER if not named and looks_like_a_row(header) else ""
    return table_with_header(header, list(whole_rows(rows, lines, header, named=named)), where, named=named, hint=hint)


@dataclass
class Lines:
    """Rows of cells, and the lines that the last of them fills."""

    text: str
    separator: str
    where: str
    first: int = 1
    last: int = 0

    def rows(self) -> Iterator[list[str]]:
        """Rows that hold anything.

        Raises:
            DataError: a quote does not close as it should; says where it opens.
        """
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator, strict=True)
        while True:
            self.first = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise self.broken(reader.line_num, error) from error
            if row is None:
                return
            self.last = reader.line_num
            if row:
                yield row

    def broken(self, line: int, error: csv.Error) -> DataError:
        opened, closed = last_quote(self.text, self.first, line, self.separator)
        if opened is not None and not closed:
            what = f"line {opened}: a quote opens and is never closed"
        elif opened is not None:
            what = f"line {line}: text follows the end of what was quoted from line {opened} on"
        else:
            return DataError(f"line {line}: {error}", where=self.where)
        return DataError(what, where=self.where, fix='close it, or double the quotes that are text: `""`')

    def place(self) -> str:
        """The last row's lines, in words."""
        return f"line {self.last}" if self.first >= self.last else f"the row in lines {self.first} to {self.last}"


def last_quote(text: str, first: int, last: int, separator: str) -> tuple[int | None, bool]:
    """The line in which the last quoted cell of these lines opens, and whether it closes."""
    opened, inside, fresh = None, False, True
    for number, line in islice(enumerate(io.StringIO(text, newline=""), 1), first - 1, last):
        doubled = False
        for at, char in enumerate(line):
            if inside and char == '"' and not doubled and line[at + 1 : at + 2] == '"':
                doubled = True
                continue
            if inside:
                inside = char != '"' or doubled
            elif char == '"' and fresh:
                opened, inside = number, True
            fresh = not inside and char in (separator, "\r", "\n")
            doubled = False
    return opened, not inside


def require_separated(header: list[str], separator: str, where: str) -> None:
    """One column that holds another separator is several columns.

    Raises:
        OtherSeparator: it is so.
    """
    if len(header) == 1:
        other = next((sign for sign in SEPARATORS if sign != separator and sign in header[0]), None)
        if other is not None:
            raise OtherSeparator(header, other, where)


def whole_rows(rows: Iterator[list[str]], lines: Lines, header: list[str], *, named: bool) -> Iterator[list[str]]:
    """Rows with as many cells as there are columns.

    Args:
        named: whether the columns' names come from the suite.

    Raises:
        DataError: a row has more or fewer; says its line.
    """
    for row in rows:
        if named and row == header:
            raise DataError(f"{lines.place()} is what `columns:` says", where=lines.where, fix="leave `columns:` out")
        if len(row) != len(header):
            require_separated(row, lines.separator, lines.where)
            has = f"`columns:` names {len(header)}" if named else f"the header has {len(header)}"
            cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
            said = f"{lines.place()} has {cells}, {has}"
            raise DataError(said, where=lines.where, fix="quote texts that hold the separator or a line break")
        yield row


def looks_like_a_row(header: list[str]) -> bool:
    """Whether no one would name columns so."""
    return any(not name.strip() or name.strip().isdecimal() or len(name) > LONGEST_NAME for name in header)
