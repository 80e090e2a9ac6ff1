"""One source's rows, as a suite's settings read its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_modelcompare.data.checks import (
    shown_rows,
)
from pytest_modelcompare.data.settings import DataSettings, Source, SourceSettings, as_source
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.data.split import rows_by, stratified_sample
from pytest_modelcompare.data.table import Table
from pytest_modelcompare.errors import DataError


@dataclass(frozen=True, slots=True)
class Raw:
    """One source's rows before labels are numbered."""

    texts: list[str]
    labels: list[str]
    ids: list[str]
    groups: list[str] | None
    columns: dict[str, tuple[str, ...]]
    where: str

    def picked(self, rows: Sequence[int]) -> Raw:
        groups = None if self.groups is None else [self.groups[row] for row in rows]
        columns = {name: tuple(cells[row] for row in rows) for name, cells in self.columns.items()}
        pick = [[cells[row] for row in rows] for cells in (self.texts, self.labels, self.ids)]
        return Raw(pick[0], pick[1], pick[2], groups, columns, self.where)


def read(source: Source, settings: DataSettings, base: Path, downloads: Path) -> Raw:
    """One source's rows, sampled where it says so."""
    spec = as_source(source)
    raw = raw_rows(source_table(source, base, downloads), settings)
    return sampled(raw, spec) if spec.rows is not None else raw


def sampled(raw: Raw, spec: SourceSettings) -> Raw:
    assert spec.rows is not None
    return raw.picked(stratified_sample(raw.labels, spec.rows, spec.seed, raw.where))


def raw_rows(table: Table, settings: DataSettings) -> Raw:
    """Text, label, id and group of every row; null and empty texts are refused with their row numbers."""
    parts = [table.column(name) for name in settings.text_columns]
    labels = table.column(settings.label)
    texts = (
        parts[0]
        if len(parts) == 1
        else ["\n".join(cell for cell in cells if cell) for cells in zip(*parts, strict=True)]
    )
    for what, cells in (("text", texts), ("label", labels)):
        empty = [table.first_row + row for row, value in enumerate(cells) if value is None or not value.strip()]
        if empty:
            rows = "1 row has" if len(empty) == 1 else f"{len(empty):,} rows have"
            message = f"{rows} no {what}: {shown_rows(empty)}"
            raise DataError(message, where=table.where, fix="fill or remove them")
    for what, column in (("text", texts), ("label", labels)):
        require_text(what, column, table)
    codes = settings.codes
    ids = table.column(settings.id) if settings.id else [str(row) for row in range(len(table))]
    require_distinct(ids, settings.id, table)
    used = {*settings.text_columns, settings.label}
    return Raw(
        [str(text) for text in texts],
        [codes.get(str(label), str(label)) for label in labels],
        [str(one) for one in ids],
        [str(one) for one in table.column(settings.group)] if settings.group else None,
        {name: tuple(value or "" for value in cells) for name, cells in table.columns.items() if name not in used},
        table.where,
    )


def require_text(what: str, cells: Sequence[str | None], table: Table) -> None:
    """Half a character, as a cut emoji in JSON leaves it, is no text."""
    broken = [table.first_row + row for row, text in enumerate(cells) if text and not is_text(text)]
    if broken:
        said = f"the {what} of row {shown_rows(broken)} holds half a character (a lone surrogate)"
        raise DataError(said, where=table.where, fix="it was cut in the middle of an emoji; mend or remove it")


def is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_distinct(ids: Sequence[str | None], column: str | None, table: Table) -> None:
    if column is None:
        return
    twice = [members for members in rows_by(list(ids)).values() if len(members) > 1]
    if twice:
        rows = shown_rows([table.first_row + row for row in twice[0]])
        raise DataError(f"the id {ids[twice[0][0]]!r} stands in several rows: {rows}", where=table.where)
