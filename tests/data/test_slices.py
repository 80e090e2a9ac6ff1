"""Parts of the test rows by column, label and length."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.data.data_settings import DataSettings
from pytest_modelcompare.data.slices import slice_rows
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import Dataset, Rows

SETTINGS = DataSettings(test="t.csv", label="kind")


def dataset(**columns: tuple[str, ...]) -> Dataset:
    # lengths 1 to 6: thirds {1, 2}, {3, 4}, {5, 6}
    texts = tuple("x" * size for size in (5, 1, 6, 2, 3, 4))
    rows = Rows(texts, np.array([0, 1, 0, 1, 0, 1]), tuple("abcdef"), columns=columns)
    return Dataset(("ham", "spam"), {}, None, None, rows, "digest")


def chosen(data: Dataset, **wanted: str) -> list[int]:
    return np.flatnonzero(slice_rows(data, SETTINGS, wanted)).tolist()


def test_length_means_thirds_by_characters():
    data = dataset()
    assert chosen(data, length="short") == [1, 3]
    assert chosen(data, length="medium") == [4, 5]
    assert chosen(data, length="long") == [0, 2]


def test_texts_of_one_length_stay_together():
    rows = Rows(("aa", "bb", "cc", "dddd"), np.array([0, 1, 0, 1]), tuple("abcd"))
    data = Dataset(("ham", "spam"), {}, None, None, rows, "digest")
    assert chosen(data, length="short") == [0, 1, 2]


def test_a_column_of_that_name_comes_before_the_text():
    assert chosen(dataset(length=("x", "y", "x", "y", "x", "y")), length="y") == [1, 3, 5]


def test_conditions_hold_together_and_the_label_is_a_column_too():
    data = dataset(language=("de", "de", "en", "en", "de", "en"))
    assert chosen(data, language="de", kind="ham") == [0, 4]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"langage": "de"}, "no column `langage`.*\n.*did you mean `language`"),
        ({"language": "dee"}, "no test row has `dee`.*\n.*did you mean `de`"),
        ({"language": "de", "length": "long", "kind": "spam"}, "no test row is in the slice where language is de and"),
    ],
)
def test_what_is_no_slice_is_said(wanted: dict[str, str], said: str):
    data = dataset(language=("de", "de", "en", "en", "de", "en"))
    with pytest.raises(DataError, match=said):
        slice_rows(data, SETTINGS, wanted)
