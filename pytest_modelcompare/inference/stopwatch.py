"""Latency and throughput of several contestants, measured side by side; on which machine, and with which texts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import numpy as np

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.cores import cpu_count
from pytest_modelcompare.inference.device import limit_threads, machine_in_words
from pytest_modelcompare.records import Latencies, Throughput
from pytest_modelcompare.records.measurements import Extent
from pytest_modelcompare.records.progress import Progress, Watch, silent

Clock = Callable[[], float]
T = TypeVar("T", Latencies, Throughput)
Enough = Callable[[Mapping[str, T]], bool]
"""Whether what was measured of these contestants so far decides every gate that asks for it."""

WHOLE: Extent = "whole"
UNTIL_DECIDED: Extent = "until_decided"
LOOK: Extent = "look"

FEWEST_ROWS = 3
"""Per block, however slow a contestant is that a gate asks for."""

LATENCY_LOOKS = (10, 15)
THROUGHPUT_LOOKS = (5,)
"""After how many blocks a measurement may end: few, as each look is a chance to be decided by luck."""

LOOK_BLOCKS = 5
LOOK_SECONDS = 0.5
"""For the latency, and again for the throughput, of a contestant that no gate asks for."""

LOOK_BATCHES = 3
TOKENS_COUNTED = 512
"""Rows whose tokens are counted for the mean."""


def never_enough(_: Mapping[str, Any]) -> bool:
    """To measure as long as a measurement takes at most."""
    return False


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
    thorough: Collection[str] | None = None,
    enough: Enough[Latencies] = never_enough,
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
        thorough: those that a gate asks for; the others get a short look within the first blocks. None: all.
        enough: looked at after the blocks of `LATENCY_LOOKS`; True ends the measurement.
        seconds_limit: per contestant; a slow one is given fewer rows per block, at least three.
        own_texts: other texts than the test rows, such as those of a fixed length, by contestant.
    """
    asked = set(predictors if thorough is None else thorough) & set(predictors)
    own = {} if own_texts is None else own_texts
    rows_of = {name: draw_texts(own.get(name, texts), blocks * rows_per_block) for name in predictors}
    counts = {}
    for name, predictor in predictors.items():
        typical = warm_up(predictor, rows_of[name][: max(2, warmup)], clock, LOOK_SECONDS)
        given, fewest = (seconds_limit / blocks, FEWEST_ROWS) if name in asked else (LOOK_SECONDS / LOOK_BLOCKS, 1)
        counts[name] = min(rows_per_block, max(fewest, int(given / typical)))
    found: dict[str, list[tuple[int, float]]] = {name: [] for name in predictors}
    last = blocks if asked else min(blocks, LOOK_BLOCKS)

    def latencies(names: Iterable[str], extent: Extent) -> dict[str, Latencies]:
        date = datetime.now(UTC).isoformat(timespec="seconds")
        timed = {name: tuple(map(np.array, zip(*found[name], strict=True))) for name in names}
        return {name: Latencies(ms, at, machine, session, date, extent=extent) for name, (at, ms) in timed.items()}

    extent = WHOLE
    for block in range(last):
        for name in rotate(list(predictors), block):
            if name not in asked and (block >= LOOK_BLOCKS or sum(ms for _, ms in found[name]) / 1000 > LOOK_SECONDS):
                continue
            for text in rows_of[name][block * rows_per_block :][: counts[name]]:
                found[name].append((block, 1000 * time_prediction(predictors[name], [text], clock)))
        progress(Progress(block + 1, last, "latency"))
        if asked and block + 1 in LATENCY_LOOKS and block + 1 < last and enough(latencies(sorted(asked), extent)):
            extent = UNTIL_DECIDED
            break
    return latencies(asked, extent) | latencies(predictors.keys() - asked, LOOK)


def warm_up(predictor: Timed, texts: Sequence[str], clock: Clock, limit: float) -> float:
    """Predict a few rows that do not count, at least two, until `limit` seconds have passed; the median in seconds."""
    spent: list[float] = []
    for text in texts:
        if len(spent) >= 2 and sum(spent) > limit:
            break
        spent.append(time_prediction(predictor, [text], clock))
    return max(float(np.median(spent)), 1e-9)


def measure_throughput(
    predictors: Mapping[str, Timed],
    texts: Sequence[str],
    *,
    session: str,
    machine: str,
    thorough: Collection[str] | None = None,
    enough: Enough[Throughput] = never_enough,
    blocks: int = 10,
    seconds_limit: float = 10.0,
    clock: Clock = time.perf_counter,
    progress: Watch = silent,
) -> dict[str, Throughput]:
    """Predictions per second at the best of each contestant's batch sizes, in interleaved blocks.

    Args:
        thorough: those that a gate asks for; the others get a short look. None: all.
        enough: looked at after the blocks of `THROUGHPUT_LOOKS`; True ends the measurement.
        seconds_limit: per contestant, the search for the batch size excluded; a block is at least one batch.
    """
    asked = [name for name in predictors if thorough is None or name in thorough]
    rows = draw_texts(texts, max(len(texts), 1))
    looks = {name: glance_at_throughput(predictors[name], rows, clock) for name in predictors if name not in asked}
    chosen = {name: best_batch(predictors[name], rows, clock) for name in asked}
    found: dict[str, list[float]] = {name: [] for name in asked}
    tokens = {name: tokens_per_row(predictor, rows[:TOKENS_COUNTED]) for name, predictor in predictors.items()}

    def throughput(name: str, rates: Sequence[float], size: int, extent: Extent) -> Throughput:
        return Throughput(np.array(rates), tokens[name], size, machine, session, extent)

    def of_asked(extent: Extent) -> dict[str, Throughput]:
        return {name: throughput(name, found[name], chosen[name][0], extent) for name in asked}

    extent = WHOLE
    for block in range(blocks if asked else 0):
        for name in rotate(asked, block):
            size, per_batch = chosen[name]
            batches = max(1, min(4, int(seconds_limit / (blocks * max(per_batch, 1e-9)))))
            given = [slice_round(rows, (block * batches + batch) * size, size) for batch in range(batches)]
            spent = sum(time_prediction(predictors[name], batch, clock) for batch in given)
            found[name].append(sum(map(len, given)) / max(spent, 1e-9))
        progress(Progress(block + 1, blocks, "throughput"))
        if block + 1 in THROUGHPUT_LOOKS and block + 1 < blocks and enough(of_asked(extent)):
            extent = UNTIL_DECIDED
            break
    return of_asked(extent) | {name: throughput(name, rates, size, LOOK) for name, (rates, size) in looks.items()}


def glance_at_throughput(predictor: Timed, rows: Sequence[str], clock: Clock) -> tuple[list[float], int]:
    """A moment's look at the throughput: rows per second of a few batches, and the batch size they are of.

    Batch sizes are tried from the smallest on, each after one batch that does not count, as long as a batch is
    expected to end within what is left of `LOOK_SECONDS`. Where not even the smallest is, single rows are timed.
    """
    one = warm_up(predictor, rows[:2], clock, LOOK_SECONDS)
    left, best = LOOK_SECONDS, ([1 / one], 1)
    for size in sorted(predictor.batch_sizes):
        if size * one > left:
            break
        spent: list[float] = []
        while len(spent) < 2 or (len(spent) <= LOOK_BATCHES and spent[-1] < left):
            spent.append(max(time_prediction(predictor, slice_round(rows, len(spent) * size, size), clock), 1e-9))
            left -= spent[-1]
        rates = [size / each for each in spent[1:]]
        one = min(spent) / size
        best = max((rates, size), best, key=lambda tried: float(np.mean(tried[0])))
    return best


def best_batch(predictor: Timed, rows: Sequence[str], clock: Clock) -> tuple[int, float]:
    """(batch size, seconds per batch) with the most rows per second.

    Each size is tried three times after a warm-up, in turn, and its best time counts: a moment in
    which the machine was busy elsewhere must not choose the batch.
    """
    batches = {size: slice_round(rows, 0, size) for size in predictor.batch_sizes}
    for batch in batches.values():
        time_prediction(predictor, batch, clock)
    tried = [(size, time_prediction(predictor, batch, clock)) for _ in range(3) for size, batch in batches.items()]
    return max(tried, key=lambda pair: pair[0] / max(pair[1], 1e-9))


def time_prediction(predictor: Timed, texts: Sequence[str], clock: Clock) -> float:
    start = clock()
    predictor.predict(texts)
    return clock() - start


def tokens_per_row(predictor: Timed, texts: Sequence[str]) -> float:
    tokens = predictor.tokens(texts)
    return float("nan") if tokens is None else tokens / len(texts)


def draw_texts(texts: Sequence[str], n: int) -> list[str]:
    """`n` texts in a fixed random order, going round where there are fewer."""
    order = np.random.default_rng(0).permutation(len(texts))
    return [texts[order[at % len(order)]] for at in range(n)]


def slice_round(rows: Sequence[str], start: int, size: int) -> list[str]:
    return [rows[(start + at) % len(rows)] for at in range(size)]


def rotate(names: list[str], by: int) -> list[str]:
    by %= max(1, len(names))
    return names[by:] + names[:by]


def threads_to_predict() -> int:
    """Threads that will predict on the CPU: OMP_NUM_THREADS where it is set, never more than there are cores for.

    Does not import torch, which decides in much the same way: what was measured says how many it really had.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return min(int(asked), cpu_count()) if asked.isdecimal() and int(asked) else cpu_count()


def threads_in_use() -> int:
    """Threads that predict on the CPU in this process: torch's, where a model has loaded it."""
    return limit_threads() if "torch" in sys.modules else threads_to_predict()


def timing_machine(kinds: Collection[str], n_threads: int) -> str:
    """The machine in words, for timings: its GPU where one predicts, its CPU, and how many threads predict there."""
    words = [machine_in_words(kind) for kind in ("cuda", "mps") if kind in kinds]
    return "; ".join([*words, f"{machine_in_words('cpu')}, {n_threads} thread{'s' * (n_threads > 1)}"])


SHORT_OF = 20
"""Words tried to fill the last tokens of a text."""


def texts_of_length(predictor: Timed, texts: Sequence[str], length: int, n: int = 48) -> list[str]:
    """Texts of `length` tokens each, special ones included, made of the words of the test rows in a fixed order.

    Words are added while they fit, so a text may lack a token or two where none of the next ones does. Without a
    tokenizer a word counts as a token.

    Raises:
        ModelError: the contestant reads fewer tokens than that.
    """
    words = [word for text in draw_texts(texts, len(texts)) for word in text.split()]

    def tokens(chosen: Sequence[str]) -> int:
        found = predictor.tokens([" ".join(chosen)])
        return len(chosen) if found is None else found

    if not words or tokens([words[at % len(words)] for at in range(4 * length)]) < length:
        raise ModelError(f"it does not read {length} tokens", fix="name a smaller length")
    found, at = [], 0
    for _ in range(n):
        chosen: list[str] = []
        step, misses = length, 0
        while tokens(chosen) < length and misses < SHORT_OF:
            more = [words[(at + k) % len(words)] for k in range(step)]
            at += step if tokens([*chosen, *more]) <= length or step == 1 else 0
            if tokens([*chosen, *more]) <= length:
                chosen += more
            elif step == 1:
                misses += 1
            step = max(1, step // 2)
        found.append(" ".join(chosen))
    return found
