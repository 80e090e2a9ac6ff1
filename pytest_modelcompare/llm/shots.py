"""Which training rows a row is shown: the first, random ones, as many of each label, or the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.split import folded
from pytest_modelcompare.llm.request import CHARACTERS_PER_TOKEN
from pytest_modelcompare.llm.wording import quoted, worded
from pytest_modelcompare.records import Dataset, Rows

TURN_TOKENS = 10
"""What the two turns of a shot take beside their words."""

ROWS_AT_ONCE = 256


@dataclass(slots=True)
class Shots:
    """Chooses, row by row. No row is ever shown itself or its twin, a training row of equal folded text."""

    dataset: Dataset
    count: int
    """How many are shown; 0: as many as `tokens` allow."""

    tokens: int | None
    """What the shots may take together, estimated by characters; None: whatever they take."""

    order: NDArray[np.int64]
    """Training rows, most wanted first: shape (n_train,), or (n_test, m) where each test row has its own."""

    _common: Sequence[int] | None = None
    _of_common: frozenset[str] = frozenset()
    """The folded texts of these; a twin that is not among them changes nothing."""

    _folded: dict[int, str] = field(default_factory=dict)

    def __call__(self, row: int) -> Sequence[int]:
        """Training rows in the order shown. The nearest comes last, next to the question."""
        if self.dataset.train is None or not (self.count or self.tokens):
            return ()
        own = folded(self.dataset.test.texts[row])
        if self.order.ndim == 2:
            return self.fitting(self.order[row], own)[::-1]
        if self._common is None:
            self._common = self.fitting(self.order, None)
            self._of_common = frozenset(self.folded_train(one) for one in self._common)
        return self.fitting(self.order, own) if own in self._of_common else self._common

    def folded_train(self, row: int) -> str:
        assert self.dataset.train is not None
        if row not in self._folded:
            self._folded[row] = folded(self.dataset.train.texts[row])
        return self._folded[row]

    def fitting(self, order: NDArray[np.int64], own: str | None) -> Sequence[int]:
        """From the front of the order, what fits, without twins of `own`."""
        assert self.dataset.train is not None
        left = self.tokens
        chosen: list[int] = []
        for number in order:
            row = int(number)
            if own is not None and self.folded_train(row) == own:
                continue
            if left is not None:
                size = shot_tokens(self.dataset.train.texts[row], self.dataset.labels[self.dataset.train.labels[row]])
                if size > left:
                    continue
                left -= size
            chosen.append(row)
            if len(chosen) == self.count:
                break
        return tuple(chosen)


def shot_tokens(text: str, label: str) -> int:
    """An estimate by characters, cautiously."""
    return ceil(len(quoted(text) + worded(label, structured=True)) / CHARACTERS_PER_TOKEN) + TURN_TOKENS


def common_order(by: Literal["first", "random", "balanced"], train: Rows, seed: int) -> NDArray[np.int64]:
    """Training rows, most wanted first, shape (n_train,)."""
    if by == "first":
        return np.arange(len(train))
    rng = np.random.default_rng(seed)
    if by == "random":
        return rng.permutation(len(train))
    # rounds: one row of every label that still has some, labels in a new order each time
    queues = [rng.permutation(np.flatnonzero(train.labels == label)) for label in np.unique(train.labels)]
    rounds = ([int(row) for row in one if row is not None] for one in zip_longest(*queues))
    return np.array([row for one in rounds for row in rng.permutation(one)], np.int64)


def nearest_order(dataset: Dataset, train: Any, test: Any, count: int) -> NDArray[np.int64]:
    """The nearest training rows of each test row, nearest first, twins left out.

    Args:
        train: vectors of length 1, shape (n_train, width); an array or a sparse matrix.
        test: the same for the test rows, shape (n_test, width).
        count: how many.

    Returns:
        shape (n_test, count); fewer columns where there are fewer rows that are no twins.
    """
    assert dataset.train is not None
    texts = [folded(text) for text in dataset.train.texts]
    twins: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        twins.setdefault(text, []).append(row)
    own = [twins.get(folded(text), []) for text in dataset.test.texts]
    count = min(count, len(texts) - max((len(one) for one in own), default=0))
    found = np.zeros((len(own), count), np.int64)
    for start in range(0, len(own), ROWS_AT_ONCE):
        part = test[start : start + ROWS_AT_ONCE] @ train.T
        cosines = np.asarray(part.toarray() if hasattr(part, "toarray") else part, np.float64)
        for at, scores in enumerate(cosines):
            scores[own[start + at]] = -np.inf
            # rounded, then by row number: noise of another machine's products must not change what is asked
            found[start + at] = np.argsort(-np.round(scores, 5), kind="stable")[:count]
    return found
