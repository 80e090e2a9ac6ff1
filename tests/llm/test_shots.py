"""Which training rows are shown."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.llm.shots import Shots, common_order, nearest_order, shot_tokens
from pytest_modelcompare.records import Dataset, Rows


def a_dataset(train: list[tuple[str, int]], test: list[str]) -> Dataset:
    def rows(texts: list[str], labels: list[int]) -> Rows:
        return Rows(tuple(texts), np.array(labels, np.int64), tuple(map(str, range(len(texts)))))

    learnt = rows([text for text, _ in train], [label for _, label in train])
    return Dataset(("a", "b", "c"), {}, learnt, None, rows(test, [0] * len(test)), "d")


def shown(dataset: Dataset, by: str, count: int, seed: int = 0, tokens: int | None = None) -> list[int]:
    assert dataset.train is not None
    return list(Shots(dataset, count, tokens, common_order(by, dataset.train, seed))(0))  # type: ignore[arg-type]


MANY = [(f"text {row}", 0 if row < 20 else 1 if row < 24 else 2) for row in range(26)]


def test_the_first_and_random_ones_in_a_seeded_order():
    dataset = a_dataset(MANY, ["new"])
    assert shown(dataset, "first", 3) == [0, 1, 2]
    assert shown(dataset, "random", 5) == shown(dataset, "random", 5)
    assert shown(dataset, "random", 5) != shown(dataset, "random", 5, seed=1)
    assert len(set(shown(dataset, "random", 26))) == 26


def test_balanced_takes_as_many_of_each_label_while_there_are_some():
    dataset = a_dataset(MANY, ["new"])
    assert dataset.train is not None
    labels = dataset.train.labels[shown(dataset, "balanced", 6)]
    assert np.bincount(labels).tolist() == [2, 2, 2]
    # two of c are all there are: the rest is shared by a and b
    assert np.bincount(dataset.train.labels[shown(dataset, "balanced", 10)]).tolist() == [4, 4, 2]
    assert len(set(shown(dataset, "balanced", 26))) == 26


@pytest.mark.parametrize("by", ["first", "random", "balanced"])
def test_no_row_is_shown_itself_or_its_twin(by: str):
    dataset = a_dataset([("My  Card", 0), ("other", 1), ("my card", 1)], ["MY card"])
    assert shown(dataset, by, 3) == [1]


def test_a_budget_of_tokens_is_filled_and_kept():
    dataset = a_dataset([("short", 0), ("long " * 100, 1), ("brief", 2)], ["new"])
    each = shot_tokens("short", "a")
    assert shown(dataset, "first", 0, tokens=2 * each) == [0, 2]
    assert shown(dataset, "first", 0, tokens=each) == [0]
    assert shown(dataset, "first", 1, tokens=10_000) == [0]
    assert shown(dataset, "first", 0) == []


def test_the_nearest_are_shown_last_and_twins_never():
    # unit vectors at 0, 30, 60 and 90 degrees; the question stands at 10 and equals row 0
    angles = np.radians([0, 30, 60, 90])
    train = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    question = np.array([[np.cos(np.radians(10)), np.sin(np.radians(10))]])
    dataset = a_dataset([("same", 0), ("near", 1), ("far", 2), ("farther", 0)], ["SAME"])
    order = nearest_order(dataset, train, question, 2)
    assert order.tolist() == [[1, 2]]
    assert list(Shots(dataset, 2, None, order)(0)) == [2, 1]


def test_equally_near_rows_come_in_their_own_order_whatever_the_rounding():
    noise = np.array([[1.0, 3e-8], [1.0, -2e-8], [1.0, 1e-8]])
    dataset = a_dataset([("x", 0), ("y", 1), ("z", 2)], ["new"])
    assert nearest_order(dataset, noise, np.array([[1.0, 1.0]]), 3).tolist() == [[0, 1, 2]]


def test_sparse_vectors_do_as_well():
    from pytest_modelcompare.inference.ngrams import fit_ngrams

    texts = ["lost my card", "top up failed", "card is late"]
    dataset = a_dataset([(text, 0) for text in texts], ["my lost card", "the top up"])
    ngrams = fit_ngrams(texts, 1, 2)
    order = nearest_order(dataset, ngrams.transform(texts), ngrams.transform(dataset.test.texts), 1)
    assert order.tolist() == [[0], [1]]
