"""Columns of text, whatever they were read from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records.hints import did_you_mean

Cell = str | None


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length; a null cell is None."""

    columns: Mapping[str, list[Cell]]
    where: str
    first_row: int = 1
    """What the first row is called in messages: 2 in a csv file, whose line 1 is the header."""

    hint: str = ""
    """What may be wrong where a column is missed."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def column(self, name: str) -> list[Cell]:
        """A column by name.

        Raises:
            DataError: there is none; names the nearest.
        """
        if name in self.columns:
            return self.columns[name]
        near, has = did_you_mean(name, self.columns), f"it has {', '.join(self.columns)}"
        more = f"; {self.hint}" if self.hint else ""
        raise DataError(f"no column `{name}`", where=self.where, fix=f"{near} {has}{more}" if near else f"{has}{more}")


def table_with_header(
    header: list[str], rows: Sequence[Sequence[Any]], where: str, *, named: bool, hint: str = ""
) -> Table:
    """A table of a header and rows of as many cells.

    Args:
        named: whether the header comes from the suite, and the first row of the file is a row.

    Raises:
        DataError: there are no rows, or two columns have one name.
    """
    doubled = [name for name in header if header.count(name) > 1]
    if doubled:
        raise DataError(f"two columns are named `{min(doubled)}`", where=where)
    if not rows:
        raise DataError("is empty" if named else "has a header and no rows", where=where)
    columns = {name: [cell_text(row[at]) for row in rows] for at, name in enumerate(header)}
    return Table(columns, where, 1 if named else 2, hint)


def from_rows(rows: list[dict[str, Any]], where: str) -> Table:
    """A table of objects; a name that one of them lacks is a null cell there."""
    if not rows:
        raise DataError("is empty", where=where)
    names = dict.fromkeys(name for row in rows for name in row)
    return Table({name: [cell_text(row.get(name)) for row in rows] for name in names}, where)


def cell_text(value: Any) -> Cell:
    """A cell as the text it would be in a csv file: 3 and 3.0 are both "3", what is not a number is null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
