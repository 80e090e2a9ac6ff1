"""The training rows that an LLM contestant is shown; what took an encoder to find is found once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.contestants.answers import Journal
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.inference.digest import weights_digest
from pytest_modelcompare.llm.prompts import ShotRows, no_shots
from pytest_modelcompare.llm.shots import Shots, common_order, nearest_order
from pytest_modelcompare.records import Dataset, Rows

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
        from pytest_modelcompare.inference.embed import load_embedder

        embedder = load_embedder(settings.shots_encoder, base, "auto")
        order = nearest_order(dataset, embedder.embed(train.texts), embedder.embed(dataset.test.texts), count)
    journal.put(key, {"rows": order.tolist()})
    return order


def nearest_key(settings: PromptSettings, dataset: Dataset, count: int, base: Path) -> str:
    """By data, encoder and count."""
    encoder = "tfidf" if settings.shots_encoder is None else weights_digest(settings.shots_encoder, base)
    return NEAREST + hashlib.sha256(repr((dataset.digest, encoder, count)).encode()).hexdigest()
