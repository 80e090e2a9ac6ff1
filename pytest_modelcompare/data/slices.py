"""Parts of the test rows: by a column's value, by label, by the length of the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.data_settings import DataSettings
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.records.hints import did_you_mean, first_few

LENGTH = "length"
MOST_VALUES = 12
"""Of a column, in a message."""

LENGTHS = ("short", "medium", "long")
"""Thirds of the test rows by their number of characters."""


def slice_rows(dataset: Dataset, settings: DataSettings, wanted: Mapping[str, str]) -> NDArray[np.bool_]:
    """Which test rows belong to a slice: all its conditions hold.

    Args:
        wanted: column → value; `length` stands for the text's length where no column is called so.

    Returns:
        shape (n,).

    Raises:
        DataError: no such column, or no row with that value.
    """
    inside = np.ones(len(dataset.test), dtype=bool)
    for column, value in wanted.items():
        values = column_values(dataset, settings, column)
        holds = np.array([one == value for one in values])
        if not holds.any():
            known = list(dict.fromkeys(values))
            hint = did_you_mean(value, known) or f"its values are {first_few(known, MOST_VALUES)}"
            raise DataError(f"no test row has `{value}` in the slice's column `{column}`", fix=hint)
        inside &= holds
    if not inside.any():
        said = " and ".join(f"{column} is {value}" for column, value in wanted.items())
        raise DataError(f"no test row is in the slice where {said}", fix="each condition holds for some rows, not all")
    return inside


def column_values(dataset: Dataset, settings: DataSettings, column: str) -> Sequence[str]:
    """A column of the test rows as text, shape (n,)."""
    test = dataset.test
    if column == settings.label:
        return [dataset.labels[number] for number in test.labels]
    if column in test.columns:
        return test.columns[column]
    if column == LENGTH:
        return [LENGTHS[third] for third in length_thirds(test)]
    known = [settings.label, LENGTH, *test.columns]
    hint = did_you_mean(column, known) or f"a slice is by one of {', '.join(known)}"
    raise DataError(f"the test rows have no column `{column}` to slice by", fix=hint)


def length_thirds(rows: Rows) -> NDArray[np.int64]:
    """0, 1, 2 for the shortest, middle and longest third, shape (n,); texts of one length stay together."""
    lengths = np.array([len(text) for text in rows.texts])
    edges = np.quantile(lengths, [1 / 3, 2 / 3])
    return np.searchsorted(edges, lengths, side="left").astype(np.int64)
