"""Latency and throughput of several contestants, measured side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from pytest_modelcompare.records import Latencies, Throughput
from pytest_modelcompare.records.progress import Progress, Watch, silent

Clock = Callable[[], float]
FEWEST_ROWS = 3
"""Per block, however slow a contestant is."""


class Timed(Protocol):
    """What can be timed: synchronised when `predict` returns."""

    batch_sizes: tuple[int, ...]

    def predict(self, texts: Sequence[str]) -> object: ...

    def tokens(self, texts: Sequence[str]) -> int | None: ...


def measure_latencies(
    predictors: Mapping[str, Timed],
    texts: Sequence[str],
    *,
    session: str,
    machine: str,
    blocks: int = 20,
    rows_per_block: int = 20,
    warmup: int = 5,
    seconds_limit: float = 15.0,
    clock: Clock = time.perf_counter,
    progress: Watch = silent,
    own_texts: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Latencies]:
    """Time real test rows one at a time, in blocks that go round the contestants.

    What slows the machine for a while slows them all; who begins moves on with
    every block. Warm-up rows are predicted and not counted.

    Args:
        texts: the test rows; drawn from with a fixed seed, the same rows for every contestant.
        seconds_limit: per contestant; a slow one is given fewer rows per block, at least three.
        own_texts: other texts than the test rows, such as those of a fixed length, by contestant.
    """
    own = {} if own_texts is None else own_texts
    rows_of = {name: drawn(own.get(name, texts), blocks * rows_per_block) for name in predictors}
    counts = {}
    for name, predictor in predictors.items():
        spent = [seconds(predictor, [text], clock) for text in rows_of[name][: max(2, warmup)]]
        affordable = int(seconds_limit / (blocks * max(float(np.median(spent)), 1e-9)))
        counts[name] = min(rows_per_block, max(FEWEST_ROWS, affordable))
    found: dict[str, list[tuple[int, float]]] = {name: [] for name in predictors}
    for block in range(blocks):
        for name in rotated(list(predictors), block):
            for text in rows_of[name][block * rows_per_block :][: counts[name]]:
                found[name].append((block, 1000 * seconds(predictors[name], [text], clock)))
        progress(Progress(block + 1, blocks, "latency"))
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        name: Latencies(
            np.array([value for _, value in timed]), np.array([at for at, _ in timed]), machine, session, date
        )
        for name, timed in found.items()
    }


def measure_throughput(
    predictors: Mapping[str, Timed],
    texts: Sequence[str],
    *,
    session: str,
    machine: str,
    blocks: int = 10,
    seconds_limit: float = 10.0,
    clock: Clock = time.perf_counter,
    progress: Watch = silent,
) -> dict[str, Throughput]:
    """Predictions per second at the best of each contestant's batch sizes, in interleaved blocks.

    Args:
        seconds_limit: per contestant, the search for the batch size excluded; a block is at least one batch.
    """
    rows = drawn(texts, max(len(texts), 1))
    chosen = {name: best_batch(predictor, rows, clock) for name, predictor in predictors.items()}
    found: dict[str, list[float]] = {name: [] for name in predictors}
    for block in range(blocks):
        for name in rotated(list(predictors), block):
            size, per_batch = chosen[name]
            batches = max(1, min(4, int(seconds_limit / (blocks * max(per_batch, 1e-9)))))
            given = [slice_round(rows, (block * batches + batch) * size, size) for batch in range(batches)]
            spent = sum(seconds(predictors[name], batch, clock) for batch in given)
            found[name].append(sum(map(len, given)) / max(spent, 1e-9))
        progress(Progress(block + 1, blocks, "throughput"))
    return {
        name: Throughput(
            np.array(found[name]), tokens_per_row(predictor, rows[:512]), chosen[name][0], machine, session
        )
        for name, predictor in predictors.items()
    }


def best_batch(predictor: Timed, rows: Sequence[str], clock: Clock) -> tuple[int, float]:
    """(batch size, seconds per batch) with the most rows per second.

    Each size is tried three times after a warm-up, in turn, and its best time counts: a moment in
    which the machine was busy elsewhere must not choose the batch.
    """
    batches = {size: slice_round(rows, 0, size) for size in predictor.batch_sizes}
    for batch in batches.values():
        seconds(predictor, batch, clock)
    tried = [(size, seconds(predictor, batch, clock)) for _ in range(3) for size, batch in batches.items()]
    return max(tried, key=lambda pair: pair[0] / max(pair[1], 1e-9))


def seconds(predictor: Timed, texts: Sequence[str], clock: Clock) -> float:
    start = clock()
    predictor.predict(texts)
    return clock() - start


def tokens_per_row(predictor: Timed, texts: Sequence[str]) -> float:
    tokens = predictor.tokens(texts)
    return float("nan") if tokens is None else tokens / len(texts)


def drawn(texts: Sequence[str], n: int) -> list[str]:
    """`n` texts in a fixed random order, going round where there are fewer."""
    order = np.random.default_rng(0).permutation(len(texts))
    return [texts[order[at % len(order)]] for at in range(n)]


def slice_round(rows: Sequence[str], start: int, size: int) -> list[str]:
    return [rows[(start + at) % len(rows)] for at in range(size)]


def rotated(names: list[str], by: int) -> list[str]:
    by %= max(1, len(names))
    return names[by:] + names[:by]
