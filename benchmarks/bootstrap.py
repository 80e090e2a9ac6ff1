"""How much faster 10,000 paired resamples of macro F1 are: `python benchmarks/bootstrap.py`.

Compares statistics.bootstrap.bca (7,600 rows, 4 labels) with resampling rows and calling
sklearn.metrics.f1_score for both contestants, measured on some resamples and scaled; interleaved, medians.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
from sklearn.metrics import f1_score

from pytest_modelcompare.metrics.classification import confusion_statistic, value_and_influence
from pytest_modelcompare.statistics.bootstrap import RESAMPLES, bca

ROWS, LABELS = 7_600, 4
ROUNDS, RESAMPLES_PER_ROUND = 7, 40
REQUIRED = 20.0


def contestants() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth and two contestants' answers, right in .94 and .90 of the rows."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, LABELS, ROWS)
    a, b = (np.where(rng.random(ROWS) < share, truth, rng.integers(0, LABELS, ROWS)) for share in (0.92, 0.867))
    return truth, a, b


def ours(truth: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Seconds for all resamples, the influence included."""
    started = time.perf_counter()
    influence = [value_and_influence("f1", truth, answer, LABELS, None)[1] for answer in (a, b)]
    bca(truth, (a, b), confusion_statistic("f1"), LABELS, 0.0, 0.95, influence[0] - influence[1])
    return time.perf_counter() - started


def loop(truth: np.ndarray, a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> float:
    """Seconds that all resamples would take."""
    started = time.perf_counter()
    for _ in range(RESAMPLES_PER_ROUND):
        rows = rng.integers(0, ROWS, ROWS)
        _ = f1_score(truth[rows], a[rows], average="macro") - f1_score(truth[rows], b[rows], average="macro")
    return (time.perf_counter() - started) * RESAMPLES / RESAMPLES_PER_ROUND


def main() -> int:
    world, rng = contestants(), np.random.default_rng(1)
    ours(*world), loop(*world, rng)
    pairs = [(ours(*world), loop(*world, rng)) for _ in range(ROUNDS)]
    fast, slow = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = sorted(theirs / mine for mine, theirs in pairs)
    print(f"{RESAMPLES:,} paired resamples of macro F1, {ROWS:,} rows, {LABELS} labels")
    print(f"  bca                       {fast:8.3f} s")
    print(f"  loop over f1_score        {slow:8.1f} s, scaled from {ROUNDS} x {RESAMPLES_PER_ROUND} resamples")
    print(f"  ratio {slow / fast:.0f} ({ratios[0]:.0f} to {ratios[-1]:.0f} over rounds), required {REQUIRED:.0f}")
    return 0 if slow / fast >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())
