"""Which training rows a row is shown: the first, random ones, as many of each label, or the nearest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.split import fold_text
from pytest_modelcompare.extras import require
from pytest_modelcompare.inference.model_reference import weights_digest
from pytest_modelcompare.llm.answers import Journal
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompts import ShotRows, no_shots
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
        own = fold_text(self.dataset.test.texts[row])
        if self.order.ndim == 2:
            return self.fitting(self.order[row], own)[::-1]
        if self._common is None:
            self._common = self.fitting(self.order, None)
            self._of_common = frozenset(self.folded_train(one) for one in self._common)
        return self.fitting(self.order, own) if own in self._of_common else self._common

    def folded_train(self, row: int) -> str:
        assert self.dataset.train is not None
        if row not in self._folded:
            self._folded[row] = fold_text(self.dataset.train.texts[row])
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
    texts = [fold_text(text) for text in dataset.train.texts]
    twins: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        twins.setdefault(text, []).append(row)
    own = [twins.get(fold_text(text), []) for text in dataset.test.texts]
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


NEAREST = "shots#nearest"
"""Under this key the journal keeps which training rows are nearest to each test row."""

MOST_NEAREST = 500
FEWEST_TOKENS_OF_A_SHOT = 20
TFIDF_NGRAMS = (1, 2)


@dataclass(frozen=True, slots=True)
class ChosenShots:
    """Which rows are shown, and how that is said."""

    rows: ShotRows
    notes: list[str]


def chosen_shots(settings: PromptSettings, dataset: Dataset, journal: Journal, base: Path) -> ChosenShots:
    """As the settings say; none without training rows."""
    train = dataset.train
    if train is None or not (settings.shots or settings.shots_tokens):
        return ChosenShots(no_shots, [])
    if settings.shots_by == "nearest":
        order = stored_nearest(settings, dataset, train, journal, base)
    else:
        order = common_order(settings.shots_by, train, settings.shots_seed)
    shots = Shots(dataset, settings.shots, settings.shots_tokens, order)
    return ChosenShots(shots, [words(settings, shots)])


def words(settings: PromptSettings, shots: Shots) -> str:
    """What is shown, in a reader's words."""
    seed = f" (seed {settings.shots_seed})"
    chosen = {
        "first": "the first {} training rows",
        "random": "{} random training rows" + seed,
        "balanced": "{} training rows, as many of each label" + seed,
        "nearest": f"the {{}} nearest training rows by {settings.shots_encoder or 'TF-IDF'}",
    }[settings.shots_by]
    if settings.shots_tokens is None:
        most = 0 if shots.dataset.train is None else len(shots.dataset.train)
        return f"{chosen.format(min(settings.shots, most))} as shots"
    counts = [len(shots(row)) for row in range(len(shots.dataset.test))]
    shown = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    return f"{chosen.format(shown)} as shots, in at most {settings.shots_tokens:,} tokens by estimate"


def stored_nearest(
    settings: PromptSettings, dataset: Dataset, train: Rows, journal: Journal, base: Path
) -> NDArray[np.int64]:
    """From the journal, or found now: a replay embeds nothing, and asks what was asked before."""
    count = min(settings.shots or MOST_NEAREST, len(train))
    if settings.shots_tokens is not None:
        count = min(count, max(1, settings.shots_tokens // FEWEST_TOKENS_OF_A_SHOT))
    key = nearest_key(settings, dataset, count, base)
    if (known := journal.get(key)) is not None:
        return np.array(known["rows"], np.int64).reshape(len(dataset.test), -1)
    if settings.shots_encoder is None:
        from pytest_modelcompare.inference.ngrams import fit_ngrams

        ngrams = fit_ngrams(train.texts, *TFIDF_NGRAMS)
        order = nearest_order(dataset, ngrams.transform(train.texts), ngrams.transform(dataset.test.texts), count)
    else:
        require("`shots_encoder`", ["torch", "transformers"])
        from pytest_modelcompare.inference.embed import load_embedder

        embedder = load_embedder(settings.shots_encoder, base, "auto")
        order = nearest_order(dataset, embedder.embed(train.texts), embedder.embed(dataset.test.texts), count)
    journal.put(key, {"rows": order.tolist()})
    return order


def nearest_key(settings: PromptSettings, dataset: Dataset, count: int, base: Path) -> str:
    """By data, encoder and count."""
    encoder = "tfidf" if settings.shots_encoder is None else weights_digest(settings.shots_encoder, base)
    return NEAREST + hashlib.sha256(repr((dataset.digest, encoder, count)).encode()).hexdigest()
