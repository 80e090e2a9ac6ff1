"""Samples of the training rows: nested, stratified, seeded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelcompare.data.subsets import Subset, subset_rows, warn_shortage, with_subset
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import Dataset, Rows

SIXTY_THIRTY_TEN = np.array([0, 1, 0, 2, 0, 1, 0, 0, 1, 0] * 20)
"""120 rows of label 0, 60 of label 1, 20 of label 2."""


def dataset(labels: np.ndarray, digest: str = "d") -> Dataset:
    texts = tuple(f"text {row}" for row in range(len(labels)))
    ids = tuple(f"id {row}" for row in range(len(labels)))
    rows = Rows(texts, labels, ids, np.arange(len(labels)) // 2, {"line": ids})
    return Dataset(("a", "b", "c"), {}, rows, None, rows, digest)


def counts(labels: np.ndarray, **size: float) -> list[int]:
    return np.bincount(labels[subset_rows(labels, Subset(**size))], minlength=3).tolist()  # type: ignore[arg-type]


def test_every_label_keeps_its_share():
    assert counts(SIXTY_THIRTY_TEN, rows=50) == [30, 15, 5]
    assert counts(SIXTY_THIRTY_TEN, fraction=0.25) == [30, 15, 5]


def test_per_class_takes_as_many_of_each_label_and_all_of_a_rarer_one():
    assert counts(SIXTY_THIRTY_TEN, per_class=5) == [5, 5, 5]
    assert counts(SIXTY_THIRTY_TEN, per_class=30) == [30, 30, 20]


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=60),
    st.sampled_from(["rows", "per_class"]),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.integers(0, 3),
)
def test_the_smaller_sample_is_inside_the_larger(drawn: list[int], kind: str, sizes: tuple[int, int], seed: int):
    labels = np.array(drawn)
    most = len(labels) if kind == "rows" else int(np.bincount(labels).max())
    small, large = sorted(min(size, most) for size in sizes)
    inner = subset_rows(labels, Subset(**{kind: small}, seed=seed))
    outer = subset_rows(labels, Subset(**{kind: large}, seed=seed))
    assert set(inner) <= set(outer)
    if kind == "rows":
        assert (len(inner), len(outer)) == (small, large)


@given(st.lists(st.integers(0, 4), min_size=5, max_size=200), st.integers(1, 200))
def test_a_sample_of_rows_is_within_one_row_of_its_share_or_two(drawn: list[int], size: int):
    # Sainte-Laguë can miss the quota by more than one, but only where one label has most of the rows
    labels = np.array(drawn)
    wanted = min(size, len(labels))
    found = np.bincount(labels[subset_rows(labels, Subset(rows=wanted))], minlength=5)
    quota = np.bincount(labels, minlength=5) * wanted / len(labels)
    assert np.abs(found - quota).max() < 2


def test_rows_and_fraction_of_one_size_are_the_same_rows():
    assert (
        subset_rows(SIXTY_THIRTY_TEN, Subset(rows=50)).tolist()
        == subset_rows(SIXTY_THIRTY_TEN, Subset(fraction=0.25)).tolist()
    )


def test_another_seed_is_another_sample_and_the_same_seed_the_same():
    first, again, other = (subset_rows(SIXTY_THIRTY_TEN, Subset(rows=50, seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first == sorted(first)


@pytest.mark.parametrize(("size", "said"), [({"rows": 201}, "200 training rows"), ({"per_class": 121}, "120 rows")])
def test_more_rows_than_there_are_is_an_error(size: dict[str, int], said: str):
    with pytest.raises(DataError, match=said):
        subset_rows(SIXTY_THIRTY_TEN, Subset(**size))


def test_a_sample_of_one_label_is_an_error():
    with pytest.raises(DataError, match="one label only"):
        with_subset(dataset(SIXTY_THIRTY_TEN), Subset(rows=1))


def test_the_whole_is_the_same_data_and_a_part_has_a_digest_of_its_rows():
    whole = dataset(SIXTY_THIRTY_TEN)
    assert with_subset(whole, Subset(fraction=1.0)) is whole
    assert with_subset(whole, Subset(per_class=120)) is whole
    part = with_subset(whole, Subset(rows=50))
    assert part.digest == with_subset(whole, Subset(fraction=0.25)).digest
    assert len({part.digest, whole.digest, with_subset(whole, Subset(rows=51)).digest}) == 3
    assert with_subset(dataset(SIXTY_THIRTY_TEN, "e"), Subset(rows=50)).digest != part.digest


def test_texts_labels_ids_groups_and_columns_stay_together():
    part = with_subset(dataset(SIXTY_THIRTY_TEN), Subset(rows=50)).train
    assert part is not None
    assert part.groups is not None
    for text, label, name, group, line in zip(
        part.texts, part.labels, part.ids, part.groups, part.columns["line"], strict=True
    ):
        row = int(text.split()[1])
        assert (label, name, group, line) == (SIXTY_THIRTY_TEN[row], f"id {row}", row // 2, f"id {row}")


def test_a_label_with_too_few_rows_is_named():
    assert warn_shortage(dataset(SIXTY_THIRTY_TEN), Subset(per_class=20)) == []
    assert warn_shortage(dataset(SIXTY_THIRTY_TEN), Subset(per_class=30)) == [
        "1 label has fewer than 30 training rows (`c`): all are taken"
    ]
