"""A contestant's answers and times, small enough for a report: figures by label, confusions, sorted latencies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.metrics.classification import PER_LABEL, confusion_matrix
from pytest_modelcompare.records import NO_ANSWER, Evidence

MOST_LABELS = 500
MOST_PAIRS = 3_000
MOST_LATENCIES = 400


def behind_the_figures(evidence: Evidence) -> dict[str, Any]:
    """`per_label`, `confusion` and `latency_ms` of a contestant's report, as JSON types."""
    latencies = evidence.latencies
    found: dict[str, Any] = {"latency_ms": spread(latencies.milliseconds) if latencies is not None else []}
    if evidence.predictions:
        counts = np.stack(
            [confusion_matrix(evidence.truth, one.labels, len(evidence.labels)) for one in evidence.predictions]
        )
        found["per_label"] = per_label(counts, evidence.labels)
        found["confusion"] = most_frequent_pairs(counts.sum(axis=0))
    return found


def per_label(counts: NDArray[np.float64], labels: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """F1, precision and recall of each label, means over the seeds, and its test rows.

    Args:
        counts: confusion counts, shape (seeds, K, K + 1).
    """
    figures = {name: figure(counts).mean(axis=0) for name, figure in PER_LABEL.items()}
    n = counts[0].sum(axis=1)
    kept = np.sort(np.argsort(-n, kind="stable")[:MOST_LABELS])
    return {
        labels[label]: {**{name: round(float(by[label]), 4) for name, by in figures.items()}, "n": int(n[label])}
        for label in kept
    }


def most_frequent_pairs(counts: NDArray[np.float64]) -> list[list[int]]:
    """[true, answered, rows] of every pair that occurs, the most frequent first.

    Args:
        counts: shape (K, K + 1); the last column is no answer.
    """
    true, answered = np.nonzero(counts)
    rows = counts[true, answered]
    order = np.argsort(-rows, kind="stable")[:MOST_PAIRS]
    answered = np.where(answered == len(counts), NO_ANSWER, answered)
    return [[int(true[pair]), int(answered[pair]), int(rows[pair])] for pair in order]


def spread(milliseconds: NDArray[np.float64]) -> list[float]:
    """The times in order; of many the quantiles at even steps. Four significant digits each."""
    known = milliseconds[np.isfinite(milliseconds)]
    if len(known) > MOST_LATENCIES:
        known = np.quantile(known, np.linspace(0.0, 1.0, MOST_LATENCIES))
    return [float(f"{value:.4g}") for value in np.sort(known)]
