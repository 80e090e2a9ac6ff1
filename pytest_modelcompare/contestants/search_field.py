"""Where a prompt is searched: training rows held out to try it on, and sets of shots from the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.contestants.answers import Journal
from pytest_modelcompare.contestants.chosen_shots import chosen_shots
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.searched import Searchable, shots_wanted
from pytest_modelcompare.data.split import split_rows
from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.prompts import ShotRows
from pytest_modelcompare.llm.shots import Shots, common_order
from pytest_modelcompare.records import Dataset

SHOTS_TRIED = 8
"""How many shots a set has where the suite names no number."""

ORDERS_PER_SEED = 1_000
"""Sets of shots that a search cannot have more of: the orders of two seeds never meet."""


@dataclass(frozen=True, slots=True)
class ShotSet:
    """One way to choose shots."""

    shown: ShotRows
    places: tuple[int, ...] | None
    """Places in `Searchable.rows`; None: as the suite's own settings choose."""


@dataclass(frozen=True, slots=True)
class Field:
    """What is searched, and on which rows."""

    dataset: Dataset
    """`test` are the training rows held out, `train` the others; no test row of the suite is in it."""

    rest: NDArray[np.int64]
    """Shape (n,). Places in `Searchable.rows` of the others."""

    sets: list[ShotSet]
    proposals: int
    """How many instructions are wanted beside the suite's own."""


def field_of(settings: PromptSettings, dataset: Dataset, pool: Searchable, journal: Journal, base: Path) -> Field:
    """Hold rows out; draw sets of shots from the others.

    Raises:
        LLMError: too few rows are left for shots.
        DataError: the rows cannot be split.
    """
    assert settings.optimise is not None
    assert dataset.train is not None
    optimise, n = settings.optimise, len(pool.rows)
    if optimise.rows > n // 2:
        raise LLMError(
            f"`optimise: {{rows: {optimise.rows:,}}}` would leave fewer than half of the {n:,} training rows for shots",
            fix=f"at most `rows: {n // 2:,}`" if n >= 4 else "give more training rows",
        )
    train = dataset.train.picked(pool.rows)
    labels = [dataset.labels[label] for label in train.labels]
    groups = None if train.groups is None else train.groups.tolist()
    rest, held_out = split_rows(train.texts, labels, groups, optimise.rows / n, optimise.seed)
    digest = f"search {pool.digest} {optimise.seed} {optimise.rows}"
    others, tried_on = np.array(rest, np.int64), np.array(held_out, np.int64)
    inner = replace(dataset, train=train.picked(others), test=train.picked(tried_on), digest=digest, all_train=None)
    sets = shot_sets(settings, inner, others, journal, base)
    prompts = optimise.trials - 1
    return Field(inner, others, sets, prompts if len(sets) == 1 else ceil(prompts / 2))


def shot_sets(
    settings: PromptSettings, inner: Dataset, others: NDArray[np.int64], journal: Journal, base: Path
) -> list[ShotSet]:
    """The suite's own first; where it leaves the choice of rows open, others beside it."""
    assert settings.optimise is not None
    assert inner.train is not None
    plain = settings.model_copy(update={"optimise": None})
    sets = [ShotSet(chosen_shots(plain, inner, journal, base).rows, None)]
    count = shots_wanted(settings)
    if settings.shots_by == "nearest" or (count == 0 and settings.shots_tokens is None):
        return sets
    by: Literal["random", "balanced"] = "random" if settings.shots_by == "random" else "balanced"
    for number in range(1, ceil((settings.optimise.trials - 1) / 2) + 1):
        order = common_order(by, inner.train, settings.optimise.seed * ORDERS_PER_SEED + number)
        if count is None and settings.shots_tokens is None:
            count = SHOTS_TRIED
        shots = Shots(inner, count or 0, settings.shots_tokens, order)
        chosen = np.array(shots.fitting(order, None), np.int64)
        sets.append(ShotSet(shots, tuple(others[chosen].tolist())))
    return sets
