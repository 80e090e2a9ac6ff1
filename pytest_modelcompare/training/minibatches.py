"""Which rows each step sees, and how they are cut into what is computed at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

OVERHEAD_TOKENS = {"cpu": 170, "cuda": 4096, "mps": 1024}
"""What one more micro-batch costs, in tokens that could be computed in that time. On a CPU as measured (MiniLM, two
cores, bf16: 24 ms beside .14 ms per token); elsewhere an estimate that keeps micro-batches few."""


AT_ONCE = 1024
"""Rows that are cut into micro-batches together: the time grows with their square."""


def step_rows(n_rows: int, size: int, seed: int, first: int, steps: int) -> Iterator[Rows]:
    """The rows of steps `first` to `steps` - 1: every epoch a new random order, the same for the same seed.

    The order follows from seed and epoch alone, so that a training can go on at any step.
    """
    per_epoch = -(-n_rows // size)
    step = first
    while step < steps:
        epoch, at = divmod(step, per_epoch)
        order = np.random.default_rng((seed, epoch)).permutation(n_rows)
        for number in range(at, min(per_epoch, at + steps - step)):
            yield order[number * size : (number + 1) * size]
            step += 1


def with_next(all_rows: Iterable[Rows]) -> Iterator[tuple[Rows, Rows | None]]:
    """The rows of every step, with those of the step after."""
    before: Rows | None = None
    for rows in all_rows:
        if before is not None:
            yield before, rows
        before = rows
    if before is not None:
        yield before, None


def micro_batches(lengths: NDArray[np.int64], rows: Rows, budget: int, overhead: int) -> list[Rows]:
    """Rows of one step in micro-batches of similar length, longest first, at the least cost.

    A micro-batch costs its padded tokens and `overhead`. The cheapest cut of the rows in
    order of length is found exactly, by dynamic programming (a thousand rows at a time).

    Args:
        lengths: tokens of every row of the data set.
        budget: padded tokens that one micro-batch may have; a single longer row stands alone.
    """
    order = rows[np.argsort(-lengths[rows], kind="stable")]
    some = (order[at : at + AT_ONCE] for at in range(0, len(order), AT_ONCE))
    return [part for one in some for part in cheapest_cut(one, lengths[one], budget, overhead)]


def cheapest_cut(order: Rows, longest: NDArray[np.int64], budget: int, overhead: int) -> list[Rows]:
    """`micro_batches` of rows that are in order already, with their lengths."""
    n = len(order)
    cost, start_of = np.zeros(n + 1), np.zeros(n + 1, np.int64)
    for stop in range(1, n + 1):
        starts = np.arange(stop)
        padded = (longest[:stop] * (stop - starts)).astype(np.float64)
        padded[:-1][padded[:-1] > budget] = np.inf
        ways = cost[:stop] + padded + overhead
        start_of[stop] = ways.argmin()
        cost[stop] = ways[start_of[stop]]
    cuts = [n]
    while cuts[-1]:
        cuts.append(int(start_of[cuts[-1]]))
    return [order[start:stop] for stop, start in zip(cuts[-2::-1], cuts[:0:-1], strict=True)]


def cut_within_tokens(tokens: NDArray[np.int64], rows: Rows, budget: int) -> list[Rows]:
    """Rows in the order given, cut wherever the budget of tokens would be passed; a single longer row stands alone."""
    parts: list[Rows] = []
    start, used = 0, 0
    for at, count in enumerate(tokens[rows].tolist()):
        if used and used + count > budget:
            parts.append(rows[start:at])
            start, used = at, 0
        used += count
    return [*parts, rows[start:]]
