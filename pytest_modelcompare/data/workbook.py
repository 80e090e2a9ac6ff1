"""xlsx, as a spreadsheet program saves it."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from pytest_modelcompare.data.text_table import Table, cell_text, table_with_header
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.extras import require

UNREADABLE = (KeyError, ValueError, OSError, AttributeError, TypeError, IndexError, SyntaxError, EOFError)
"""What openpyxl raises beside its own errors where a file is not as it expects."""


def from_xlsx(content: bytes, where: str, sheet: str | None, names: list[str] | None) -> Table:
    """One sheet: a header row, unless the columns are named, then rows; empty rows are left out.

    Of a formula, its value as it was saved.

    Raises:
        DataError: it is no such file, several sheets hold something, or a column has no name.
        NotInstalledError: the extra `xlsx` is not there.
    """
    rows = [row for row in rows_of_sheet(content, where, sheet) if any(value is not None for value in row)]
    filled = sorted({at for row in rows for at, value in enumerate(row) if value is not None})
    if not rows:
        raise DataError("is empty", where=where)
    rows = [tuple(row[at] if at < len(row) else None for at in filled) for row in rows]
    header = names if names is not None else [cell_text(value) or "" for value in rows[0]]
    if "" in header:
        at = filled[header.index("")]
        raise DataError(f"column {column_letters(at)} has no name", where=where, fix="name it in the first row")
    if len(header) != len(filled):
        raise DataError(f"has {len(filled)} columns, `columns:` names {len(header)}", where=where)
    return table_with_header(header, rows if names is not None else rows[1:], where, named=names is not None)


def rows_of_sheet(content: bytes, where: str, sheet: str | None) -> list[tuple[Any, ...]]:
    """Every row of the sheet that is named, or of the only one that holds anything."""
    require("an xlsx file", ["openpyxl"], where=where, otherwise="save it as csv")
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    read: dict[str, list[tuple[Any, ...]]] = {}
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {one.title: one for one in book.worksheets}
        for name in [sheet] if sheet is not None and sheet in sheets else sheets:
            sheets[name].reset_dimensions()  # what some programs write there is wrong
            read[name] = list(sheets[name].iter_rows(values_only=True))
    except (InvalidFileException, zipfile.BadZipFile, *UNREADABLE) as error:
        said = f"is no xlsx file that openpyxl reads: {error}"
        raise DataError(said, where=where, fix="save it anew, or as csv") from error
    if sheet is not None and sheet not in sheets:
        raise DataError(f"has no sheet `{sheet}`", where=where, fix=f"it has {', '.join(sheets)}")
    full = [name for name, rows in read.items() if any(value is not None for row in rows for value in row)]
    if len(full) > 1:
        fix = f"choose one of {', '.join(full)} with `sheet:`"
        raise DataError("several sheets hold something", where=where, fix=fix)
    return read[full[0]] if full else []


def column_letters(column: int) -> str:
    """A column as spreadsheets call it: A, B, …, Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
