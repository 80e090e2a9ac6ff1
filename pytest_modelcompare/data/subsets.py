"""Nested, stratified samples of the training rows: the smaller one is inside the larger."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.checks import format_names
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import Dataset

FIX = "ask for fewer, or name more rows under `data: {train: …}`"


@dataclass(frozen=True, slots=True)
class Subset:
    """How much of the training rows a contestant learns from: one of the three sizes."""

    rows: int | None = None
    fraction: float | None = None
    per_class: int | None = None
    seed: int = 0

    def __str__(self) -> str:
        sizes = {"rows": self.rows, "fraction": self.fraction, "per_class": self.per_class}
        return ", ".join(f"{name}: {size:g}" for name, size in sizes.items() if size is not None)


def subset_rows(labels: NDArray[np.int64], subset: Subset) -> NDArray[np.int64]:
    """Row numbers of a sample, ascending; of one seed, every smaller sample of its kind is inside every larger.

    Args:
        labels: shape (n,); the training rows' label numbers.

    Raises:
        DataError: there are not so many rows.
    """
    wanted = subset_size(labels, subset)
    if subset.per_class is not None:
        return np.flatnonzero(ranks_in_label(labels, subset.seed) < subset.per_class)
    return np.sort(nested_order(labels, subset.seed)[:wanted])


def subset_size(labels: NDArray[np.int64], subset: Subset) -> int:
    """How many rows a sample holds.

    Raises:
        DataError: there are not so many.
    """
    n = len(labels)
    if subset.per_class is not None:
        counts = np.bincount(labels)
        if subset.per_class > counts.max():
            said = f"`per_class: {subset.per_class}` is more than any label has ({counts.max():,} rows)"
            raise DataError(said, fix=FIX)
        return int(np.minimum(counts, subset.per_class).sum())
    if subset.rows is not None and subset.rows > n:
        raise DataError(f"`rows: {subset.rows}` is more than the {n:,} training rows", fix=FIX)
    return subset.rows or (n if subset.fraction is None else max(1, round(subset.fraction * n)))


def ranks_in_label(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Each row's place, from 0, in a random order of the rows of its label; shape (n,)."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    counts = np.bincount(labels)
    starts = np.cumsum(counts) - counts
    found = np.empty(len(labels), np.int64)
    found[by_label] = np.arange(len(labels)) - starts[labels[by_label]]
    return found


def nested_order(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """All rows in an order of which every beginning is a stratified sample; shape (n,).

    Sainte-Laguë's method deals places to labels by their numbers of rows, and adding a
    place never takes one away: the r-th row of a label with m rows comes at (r + ½) / m.

    Source: Balinski and Young (1982), Fair Representation, on divisor methods.
    """
    share = (ranks_in_label(labels, seed) + 0.5) / np.bincount(labels)[labels]
    ties = np.random.default_rng(seed).random(len(labels))
    order: NDArray[np.int64] = np.lexsort((ties, share))
    return order


def with_subset(dataset: Dataset, subset: Subset | None) -> Dataset:
    """The data set with fewer training rows; the same one where the sample is all of them.

    Raises:
        DataError: there are not so many rows, or those of the sample hold one label only.
    """
    if subset is None or dataset.train is None:
        return dataset
    chosen = subset_rows(dataset.train.labels, subset)
    if len(chosen) == len(dataset.train):
        return dataset
    train = dataset.train.picked(chosen)
    if len(np.unique(train.labels)) < 2:
        raise DataError(f"a sample of {len(train):,} training rows holds one label only", fix="ask for more rows")
    # by the rows themselves: a quarter of 400 rows is the same request as 100 of them
    digest = hashlib.sha256(dataset.digest.encode() + chosen.tobytes()).hexdigest()
    return replace(dataset, train=train, digest=digest)


def warn_shortage(dataset: Dataset, subset: Subset | None) -> list[str]:
    """Says which labels have fewer rows than `per_class` asks for."""
    if subset is None or subset.per_class is None or dataset.train is None:
        return []
    counts: NDArray[Any] = np.bincount(dataset.train.labels, minlength=len(dataset.labels))
    short = [name for name, count in zip(dataset.labels, counts, strict=True) if count < subset.per_class]
    if not short:
        return []
    said = "label has" if len(short) == 1 else "labels have"
    return [
        f"{len(short):,} {said} fewer than {subset.per_class:,} training rows ({format_names(short)}): all are taken"
    ]
