"""Columns of text, whatever they were read from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pytest_modelcompare.errors import DataError

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
        near = get_close_matches(name, list(self.columns), 1)
        has = ", ".join(self.columns)
        hint = f"did you mean `{near[0]}`? " if near else ""
        more = f"; {self.hint}" if self.hint else ""
        raise DataError(f"no column `{name}`", where=self.where, fix=f"{hint}it has {has}{more}")

    def picked(self, rows: Iterable[int]) -> Table:
        rows = list(rows)
        columns = {name: [cells[row] for row in rows] for name, cells in self.columns.items()}
        return Table(columns, self.where, self.first_row, self.hint)


def from_rows(rows: list[dict[str, Any]], where: str) -> Table:
    """A table of objects; a name that one of them lacks is a null cell there."""
    if not rows:
        raise DataError("is empty", where=where)
    names = dict.fromkeys(name for row in rows for name in row)
    return Table({name: [cell(row.get(name)) for row in rows] for name in names}, where)


def cell(value: Any) -> Cell:
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
