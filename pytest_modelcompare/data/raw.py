"""One source's rows, as a suite's settings read its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_modelcompare.data.checks import shown_rows
from pytest_modelcompare.data.settings import DataSettings, Source, SourceSettings, as_source
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.data.split import rows_by, stratified_sample
from pytest_modelcompare.data.table import Cell, Table
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
    dropped: int = 0
    """Rows of the source that were left out, as they have no text."""

    def picked(self, rows: Sequence[int]) -> Raw:
        groups = None if self.groups is None else [self.groups[row] for row in rows]
        columns = {name: tuple(cells[row] for row in rows) for name, cells in self.columns.items()}
        pick = [[cells[row] for row in rows] for cells in (self.texts, self.labels, self.ids)]
        return Raw(pick[0], pick[1], pick[2], groups, columns, self.where, self.dropped)


def read(source: Source, settings: DataSettings, base: Path, downloads: Path) -> Raw:
    """One source's rows, sampled where it says so."""
    spec = as_source(source)
    raw = raw_rows(source_table(spec, base, downloads), settings)
    return sampled(raw, spec) if spec.rows is not None else raw


def sampled(raw: Raw, spec: SourceSettings) -> Raw:
    assert spec.rows is not None
    return raw.picked(stratified_sample(raw.labels, spec.rows, spec.seed, raw.where))


def raw_rows(table: Table, settings: DataSettings) -> Raw:
    """Text, label, id and group of every row; null and empty ones are refused with their row numbers, or dropped."""
    texts, labels = joined_texts(table, settings.text_columns), table.column(settings.label)
    without = set(empty_rows(texts))
    if settings.empty == "error":
        require_none_empty("text", sorted(without), table)
    if len(without) == len(table):
        raise DataError("no row has a text", where=table.where, fix="is `text:` the right column?")
    require_none_empty("label", [row for row in empty_rows(labels) if row not in without], table)
    for what, column in (("text", texts), ("label", labels)):
        require_text(what, column, table)
    codes = settings.codes
    ids = table.column(settings.id) if settings.id else [str(row) for row in range(len(table))]
    require_distinct(ids, settings.id, table)
    used = {*settings.text_columns, settings.label}
    raw = Raw(
        [str(text) for text in texts],
        [codes.get(str(label), str(label)) for label in labels],
        [str(one) for one in ids],
        [str(one) for one in table.column(settings.group)] if settings.group else None,
        {name: tuple(value or "" for value in cells) for name, cells in table.columns.items() if name not in used},
        table.where,
        len(without),
    )
    return raw.picked([row for row in range(len(table)) if row not in without]) if without else raw


def joined_texts(table: Table, columns: Sequence[str]) -> list[Cell]:
    """One column as it is; several joined by a line break, without those that are empty."""
    parts = [table.column(name) for name in columns]
    if len(parts) == 1:
        return parts[0]
    return ["\n".join(cell for cell in cells if cell) for cells in zip(*parts, strict=True)]


def empty_rows(cells: Sequence[Cell]) -> list[int]:
    return [row for row, value in enumerate(cells) if value is None or not value.strip()]


def require_none_empty(what: str, rows: Sequence[int], table: Table) -> None:
    if rows:
        have = "1 row has" if len(rows) == 1 else f"{len(rows):,} rows have"
        message = f"{have} no {what}: {shown_rows([table.first_row + row for row in rows])}"
        drop = ", or leave them out with `empty: drop`" if what == "text" else ""
        raise DataError(message, where=table.where, fix=f"fill or remove them{drop}")


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
