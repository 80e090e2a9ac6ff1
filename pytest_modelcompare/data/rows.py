"""From data settings to rows that were looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pytest_modelcompare.data.checks import (
    format_rows,
    leaked_rows,
    require_known,
    require_no_leak,
    require_several,
    warn_alike,
    warn_double_labelled,
    warn_dropped,
    warn_duplicates,
    warn_imbalance,
)
from pytest_modelcompare.data.data_settings import DataSettings, Source, SourceSettings, as_source
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.data.split import rows_by, split_rows, stratified_sample
from pytest_modelcompare.data.text_table import Cell, Table
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import Dataset, Rows


@dataclass(frozen=True, slots=True)
class RawRows:
    """One source's rows before labels are numbered."""

    texts: list[str]
    labels: list[str]
    ids: list[str]
    groups: list[str] | None
    columns: dict[str, tuple[str, ...]]
    where: str
    dropped: int = 0
    """Rows of the source that were left out, as they have no text."""

    def take_rows(self, rows: Sequence[int]) -> RawRows:
        groups = None if self.groups is None else [self.groups[row] for row in rows]
        columns = {name: tuple(cells[row] for row in rows) for name, cells in self.columns.items()}
        pick = [[cells[row] for row in rows] for cells in (self.texts, self.labels, self.ids)]
        return RawRows(pick[0], pick[1], pick[2], groups, columns, self.where, self.dropped)


def read_rows(source: Source, settings: DataSettings, base: Path, downloads: Path) -> RawRows:
    """One source's rows, sampled where it says so."""
    spec = as_source(source)
    raw = raw_rows(source_table(spec, base, downloads), settings)
    return sample_rows(raw, spec) if spec.rows is not None else raw


def sample_rows(raw: RawRows, spec: SourceSettings) -> RawRows:
    assert spec.rows is not None
    return raw.take_rows(stratified_sample(raw.labels, spec.rows, spec.seed, raw.where))


def raw_rows(table: Table, settings: DataSettings) -> RawRows:
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
    raw = RawRows(
        [str(text) for text in texts],
        [codes.get(str(label), str(label)) for label in labels],
        [str(one) for one in ids],
        [str(one) for one in table.column(settings.group)] if settings.group else None,
        {name: tuple(value or "" for value in cells) for name, cells in table.columns.items() if name not in used},
        table.where,
        len(without),
    )
    return raw.take_rows([row for row in range(len(table)) if row not in without]) if without else raw


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
        message = f"{have} no {what}: {format_rows([table.first_row + row for row in rows])}"
        drop = ", or leave them out with `empty: drop`" if what == "text" else ""
        raise DataError(message, where=table.where, fix=f"fill or remove them{drop}")


def require_text(what: str, cells: Sequence[str | None], table: Table) -> None:
    """Half a character, as a cut emoji in JSON leaves it, is no text."""
    broken = [table.first_row + row for row, text in enumerate(cells) if text and not is_text(text)]
    if broken:
        said = f"the {what} of row {format_rows(broken)} holds half a character (a lone surrogate)"
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
        rows = format_rows([table.first_row + row for row in twice[0]])
        raise DataError(f"the id {ids[twice[0][0]]!r} stands in several rows: {rows}", where=table.where)


def load_dataset(settings: DataSettings, base: Path, downloads: Path, *, need_validation: bool = False) -> Dataset:
    """Read, check and encode a suite's data.

    Args:
        base: where relative paths start.
        downloads: where files named by URL are kept.
        need_validation: carve or read the validation rows too.

    Raises:
        DataError: says where, what and what to do.
    """
    train, test, warnings = read_splits(settings, base, downloads)
    validation, whole = None, train
    if need_validation and train is not None:
        train, validation = carve_validation(settings, train, base, downloads)
        if validation.where != train.where:
            warnings += warn_dropped(validation.dropped, len(validation.texts), "validation rows")
    names = label_names(settings, train, test)
    parts = [part for part in (train, validation, test) if part is not None]
    for part in parts:
        require_known(part.labels, settings, names, part.where)
    require_several(names, test.labels if train is None else train.labels, test.where if train is None else train.where)
    leak = leaked_rows(train.texts, test.texts) if train is not None else []
    require_no_leak(leak, len(test.texts), settings.leakage, test.where)
    warnings += warn_alike(names) + warn_leak(leak, len(test.texts)) + warn_duplicates(test.texts)
    warnings += warn_imbalance(test.labels, names) + warn_selection(settings)
    encoded = [encode_rows(part, names) if part is not None else None for part in (train, validation, test)]
    digest = rows_digest(names, settings.descriptions, encoded)
    assert encoded[2] is not None
    all_train = encode_rows(whole, names) if whole is not None and whole is not train else None
    return Dataset(
        names,
        settings.descriptions,
        encoded[0],
        encoded[1],
        encoded[2],
        digest,
        len(leak),
        tuple(warnings),
        all_train,
    )


def read_splits(settings: DataSettings, base: Path, downloads: Path) -> tuple[RawRows | None, RawRows, list[str]]:
    """Training and test rows, from two sources or from one that is split."""
    if settings.split is not None:
        if settings.train is None or settings.test is not None:
            raise DataError("`split` makes the test rows out of `train`", fix="name `train` and leave `test` out")
        whole = read_rows(settings.train, settings, base, downloads)
        warnings = warn_double_labelled(whole.texts, whole.labels) + warn_dropped(
            whole.dropped, len(whole.texts), "rows"
        )
        rest, test = split_rows(whole.texts, whole.labels, whole.groups, settings.split.test, settings.split.seed)
        return whole.take_rows(rest), whole.take_rows(test), warnings
    if settings.test is None:
        raise DataError("no test rows", fix="name `test:`, or `split: {test: 0.2}` to make them out of `train:`")
    test_rows = read_rows(settings.test, settings, base, downloads)
    warnings = warn_dropped(test_rows.dropped, len(test_rows.texts), "test rows")
    if settings.train is None:
        return None, test_rows, warnings
    train = read_rows(settings.train, settings, base, downloads)
    warnings += warn_dropped(train.dropped, len(train.texts), "training rows")
    warnings += warn_double_labelled(train.texts + test_rows.texts, train.labels + test_rows.labels)
    return train, test_rows, warnings


def carve_validation(settings: DataSettings, train: RawRows, base: Path, downloads: Path) -> tuple[RawRows, RawRows]:
    """Training rows without, and with only, the validation rows."""
    wanted = 0.1 if settings.validation is None else settings.validation
    if isinstance(wanted, float):
        rest, some = split_rows(train.texts, train.labels, train.groups, wanted, seed=0)
        return train.take_rows(rest), train.take_rows(some)
    return train, read_rows(wanted, settings, base, downloads)


def label_names(settings: DataSettings, train: RawRows | None, test: RawRows) -> tuple[str, ...]:
    """The suite's labels in its order, else those of the training rows, sorted."""
    if settings.label_names is not None:
        return settings.label_names
    return tuple(sorted(set(test.labels if train is None else train.labels)))


def encode_rows(raw: RawRows, names: tuple[str, ...]) -> Rows:
    number = {name: index for index, name in enumerate(names)}
    groups = None
    if raw.groups is not None:
        groups = np.unique(np.array(raw.groups), return_inverse=True)[1].astype(np.int64)
    labels = np.array([number[label] for label in raw.labels], np.int64)
    return Rows(tuple(raw.texts), labels, tuple(raw.ids), groups, raw.columns)


def warn_leak(leak: Sequence[int], n: int) -> list[str]:
    return [f"{len(leak):,} of {n:,} test texts also stand in train"] if leak else []


def warn_selection(settings: DataSettings) -> list[str]:
    """Validation rows that are the test rows."""
    if settings.validation is None or isinstance(settings.validation, float) or settings.test is None:
        return []
    ours, theirs = as_source(settings.validation), as_source(settings.test)
    if (ours.path, ours.split) != (theirs.path, theirs.split):
        return []
    return ["the validation rows are the test rows: what is selected on them looks better on them than it is"]


def rows_digest(names: tuple[str, ...], descriptions: dict[str, str], parts: Sequence[Rows | None]) -> str:
    """sha256 over labels, their descriptions, texts and label numbers of every part."""
    digest = hashlib.sha256(repr((names, sorted(descriptions.items()))).encode())
    for part in parts:
        digest.update(b"\0none" if part is None else b"\0rows")
        if part is not None:
            digest.update("\0".join(part.texts).encode("utf-8", "surrogatepass") + part.labels.tobytes())
    return digest.hexdigest()


def test_rows_digest(dataset: Dataset) -> str:
    """sha256 hex over ids, texts and labels of the test rows, in order: rows of equal digests pair."""
    test = dataset.test
    digest = hashlib.sha256()
    for cells in (test.ids, test.texts, [dataset.labels[number] for number in test.labels]):
        digest.update("\0".join(cells).encode("utf-8", "surrogatepass") + b"\1")
    return digest.hexdigest()
