"""Whether a confidence of 0.8 is right in 8 of 10 rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, sqrt

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.metrics.ranking import equal_mass_bins
from pytest_modelcompare.statistics.proportion import clopper_pearson

Floats = NDArray[np.float64]
REDRAWS = 200
FLOATS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Rows of neighbouring confidence: how sure they were, and how often right."""

    n: int
    confidence: float
    """Mean score of the top label, 0 to 1."""

    accuracy: float
    """Share of the rows whose top label is the true one."""

    low: float
    """One-sided lower Clopper–Pearson bound of the accuracy."""

    high: float
    """One-sided upper bound, at the same confidence."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidence and accuracy lie apart, with what the estimate itself adds."""

    n: int
    ece: float
    """Plug-in expected calibration error. Biased upwards: what noise puts into a bin counts as error."""

    ece_if_calibrated: float
    """Mean plug-in error of a model with the same scores that is calibrated perfectly: what `ece` must exceed."""

    debiased_squared: float
    """Squared l2 calibration error less its expected noise. Below 0 where the bins differ by less than noise."""

    overconfidence: float
    """Mean confidence minus accuracy: above 0 the contestant is surer than right."""

    @property
    def signed_root(self) -> float:
        """Root of `debiased_squared`, with its sign."""
        return copysign(sqrt(abs(self.debiased_squared)), self.debiased_squared)

    @property
    def debiased(self) -> float:
        """The l2 calibration error as shown: 0 where the estimate is negative."""
        return max(self.signed_root, 0.0)


def top_label(truth: NDArray[np.int64], scores: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Confidence in the top label, and whether it is the true one, each of shape (n,).

    Raises:
        ValueError: there are no rows, the lengths differ, or a row has no scores.
    """
    if len(truth) == 0 or len(truth) != len(scores):
        raise ValueError(f"{len(truth)} labels and {len(scores)} rows of scores: calibration needs as many, and some")
    if not np.isfinite(scores).all():
        raise ValueError("rows without scores: fill them first, as `ranking.filled_scores` does")
    return scores.max(axis=1), scores.argmax(axis=1) == truth


def reliability(
    truth: NDArray[np.int64], scores: Floats, bounds_confidence: float = 0.95
) -> tuple[ReliabilityBin, ...]:
    """The reliability diagram: bins of equal mass by the top label's confidence, least sure first.

    Args:
        truth: shape (n,).
        scores: shape (n, K), rows sum to 1.
        bounds_confidence: of each one-sided bound of a bin's accuracy.

    Raises:
        ValueError: there are no rows, the lengths differ, or a row has no scores.
    """
    confidence, correct = top_label(truth, scores)
    bins = equal_mass_bins(confidence)
    counts, right = np.bincount(bins), np.bincount(bins, weights=correct)
    means = np.bincount(bins, weights=confidence) / counts
    return tuple(
        ReliabilityBin(int(n), float(mean), float(k / n), *clopper_pearson(float(k), float(n), bounds_confidence))
        for n, mean, k in zip(counts, means, right, strict=True)
    )


def calibration(truth: NDArray[np.int64], scores: Floats, seed: int = 0) -> Calibration:
    """Calibration of the top label over 15 bins of equal mass.

    The debiased error takes accuracy (1 - accuracy) / (n - 1) off each bin's
    squared gap, the expected square of its noise; a bin of one row, whose noise
    nothing shows, counts 0.

    Args:
        truth: shape (n,).
        scores: shape (n, K), rows sum to 1.
        seed: of the redraws behind `ece_if_calibrated`.

    Raises:
        ValueError: there are no rows, the lengths differ, or a row has no scores.

    Source: Kumar, Liang and Ma (2019), https://arxiv.org/abs/1909.10155
    """
    confidence, correct = top_label(truth, scores)
    bins = equal_mass_bins(confidence)
    counts = np.bincount(bins)
    accuracy = np.bincount(bins, weights=correct) / counts
    gaps = np.bincount(bins, weights=confidence) / counts - accuracy
    squared = np.where(counts > 1, gaps**2 - accuracy * (1 - accuracy) / np.maximum(counts - 1, 1), 0.0)
    return Calibration(
        n=len(truth),
        ece=float((counts * np.abs(gaps)).sum() / len(truth)),
        ece_if_calibrated=ece_if_calibrated(confidence, bins, np.random.default_rng(seed)),
        debiased_squared=float((counts * squared).sum() / len(truth)),
        overconfidence=float(confidence.mean() - correct.mean()),
    )


def ece_if_calibrated(confidence: Floats, bins: NDArray[np.int64], rng: np.random.Generator) -> float:
    """Mean plug-in error over redraws in which each row is right with the probability it claims."""
    order = np.argsort(bins, kind="stable")
    claimed, starts = confidence[order], np.searchsorted(bins[order], np.arange(bins.max() + 1))
    step = max(1, FLOATS_AT_ONCE // len(claimed))
    total = 0.0
    for start in range(0, REDRAWS, step):
        right = rng.random((min(step, REDRAWS - start), len(claimed))) < claimed
        total += float(np.abs(np.add.reduceat(claimed - right, starts, axis=1)).sum())
    return total / (REDRAWS * len(claimed))
