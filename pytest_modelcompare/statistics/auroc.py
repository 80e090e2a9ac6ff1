"""AUROC, one class or macro one-vs-rest: against a number, and the difference of two on the same rows."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from pytest_modelcompare.records import Inference
from pytest_modelcompare.statistics.means import t_inference
from pytest_modelcompare.statistics.newcombe import method5_bounds, method5_z, mover, mover_p

SAME_AREA = 1e-12
FEWEST_MISORDERED = 10.0
"""Effective misordered positives per class below which the normal approximation is not trusted."""


def placements(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """AUROC of one class and the influence of each row on it.

    Args:
        positive: shape (n,); rows of the class.
        scores: shape (n,); the score of the class.

    Returns:
        the area, and shape (n,): (V - A)/m1 for positives, (V - A)/m0 for the others,
        V the share of the other side on the right side of the row, ties half.

    Source: DeLong, DeLong and Clarke-Pearson (1988), https://doi.org/10.2307/2531595
    """
    m1, m0 = int(positive.sum()), int((~positive).sum())
    if m1 == 0 or m0 == 0:
        return float("nan"), np.zeros(len(scores))
    ours, others = np.sort(scores[positive]), np.sort(scores[~positive])
    v = np.empty(len(scores))
    at = scores[positive]
    v[positive] = (np.searchsorted(others, at, "left") + np.searchsorted(others, at, "right")) / (2 * m0)
    at = scores[~positive]
    v[~positive] = 1 - (np.searchsorted(ours, at, "left") + np.searchsorted(ours, at, "right")) / (2 * m1)
    area = float(v[positive].mean())
    return area, (v - area) / np.where(positive, m1, m0)


def auroc_influence(
    truth: NDArray[np.int64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """AUROC per class, and the influence of each row on their mean.

    Args:
        truth: shape (n,).
        scores: shape (n, K).

    Returns:
        shape (K,), NaN for a class without rows or without others; shape (n,).
    """
    areas = np.full(scores.shape[1], np.nan)
    influence = np.zeros(len(truth))
    for k in range(scores.shape[1]):
        areas[k], row_influence = placements(truth == k, scores[:, k])
        influence += row_influence
    return areas, influence / max(int(np.isfinite(areas).sum()), 1)


def auroc(
    truth: NDArray[np.int64], scores: NDArray[np.float64], threshold: float, confidence: float, label: int | None = None
) -> Inference:
    """Macro (or one class's) AUROC against a number.

    The logit of the area where every class misorders enough positives, else
    Newcombe's method 5, which has an interval even for an area of 1.

    Source: Newcombe (2006), https://doi.org/10.1002/sim.2324
    """
    n = len(truth)
    areas, m1, m0, influence = per_class(truth, scores, label)
    if len(areas) == 0:
        return Inference(float("nan"), 0, 1, 1, 1, "DeLong", n, "no class has both rows of its own and others")
    area = float(areas.mean())
    if misordered(areas, m1, m0).min() >= FEWEST_MISORDERED:
        se = sqrt(delong_variance(truth, influence, label)[0])
        result = t_inference(
            float(logit(area)), se / (area * (1 - area)), inf, float(logit(threshold)), confidence, "", n
        )
        low, high = float(expit(result.low)), float(expit(result.high))
        return Inference(area, low, high, result.p_above, result.p_below, "DeLong, logit", n)
    low, high = method5_bounds(areas, m1, m0, confidence)
    z = method5_z(areas, m1, m0, threshold)
    return Inference(area, low, high, float(ndtr(-z)), float(ndtr(z)), "score (Newcombe's method 5)", n)


def per_class(
    truth: NDArray[np.int64], scores: NDArray[np.float64], label: int | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Areas, positives and negatives of the classes that count, and the influence on their mean."""
    if label is None:
        areas, influence = auroc_influence(truth, scores)
    else:
        area, influence = placements(truth == label, scores[:, label])
        areas = np.full(scores.shape[1], np.nan)
        areas[label] = area
    counted = np.isfinite(areas)
    if label is None and len(areas) == 2 and counted.all() and abs(areas[0] - areas[1]) < SAME_AREA:
        counted[0] = False  # scores of two labels that sum to 1 order the rows once, not twice
    m1 = np.bincount(truth, minlength=scores.shape[1]).astype(float)
    return areas[counted], m1[counted], len(truth) - m1[counted], influence


def misordered(areas: NDArray[np.float64], m1: NDArray[np.float64], m0: NDArray[np.float64]) -> NDArray[np.float64]:
    """Effective number of misordered positives of each class."""
    return np.minimum(m1, m0) * (1 - areas)


def delong_variance(truth: NDArray[np.int64], influence: NDArray[np.float64], label: int | None) -> tuple[float, float]:
    """Variance of a mean area, and its Welch–Satterthwaite degrees of freedom.

    The sum of squares of each class's rows is corrected by m/(m - 1).
    """
    side = truth if label is None else (truth == label).astype(np.int64)
    counts = np.bincount(side).astype(float)
    squares = np.bincount(side, weights=influence**2)
    used = counts > 1
    parts = squares[used] * counts[used] / (counts[used] - 1)
    total = float(parts.sum())
    if total == 0:
        return 0.0, inf
    return total, total**2 / float((parts**2 / (counts[used] - 1)).sum())


def auroc_difference(
    truth: NDArray[np.int64],
    scores_a: NDArray[np.float64],
    scores_b: NDArray[np.float64],
    threshold: float,
    confidence: float,
    label: int | None = None,
) -> Inference:
    """A's AUROC minus B's on the same rows.

    DeLong with Welch–Satterthwaite's t; where either side misorders few positives,
    the wider of that and MOVER on method-5 limits.
    """
    n = len(truth)
    areas_a, m1, m0, influence_a = per_class(truth, scores_a, label)
    areas_b, _, _, influence_b = per_class(truth, scores_b, label)
    if len(areas_a) == 0:
        return Inference(float("nan"), -1, 1, 1, 1, "DeLong", n, "no class has both rows of its own and others")
    value = float(areas_a.mean() - areas_b.mean())
    variance, df = delong_variance(truth, influence_a - influence_b, label)
    delong = t_inference(value, sqrt(variance), df, threshold, confidence, "DeLong", n)
    if min(misordered(areas_a, m1, m0).min(), misordered(areas_b, m1, m0).min()) >= FEWEST_MISORDERED:
        return delong
    r = correlation(influence_a, influence_b)
    low, high = mover(areas_a, areas_b, m1, m0, r, confidence)
    p_above = max(delong.p_above, mover_p(areas_a, areas_b, m1, m0, r, threshold))
    p_below = max(delong.p_below, mover_p(areas_b, areas_a, m1, m0, r, -threshold))
    method = "wider of DeLong and MOVER"
    return Inference(value, min(low, delong.low), max(high, delong.high), p_above, p_below, method, n)


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    scale = sqrt(float((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0
