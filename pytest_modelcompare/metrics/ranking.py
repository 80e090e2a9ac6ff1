"""Metrics of the scores' order and of their size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.records import Predictions
from pytest_modelcompare.statistics.auroc import auroc_influence, placements

Floats = NDArray[np.float64]
LEAST_SCORE = 1e-15
ECE_BINS = 15


def filled_scores(predictions: Predictions) -> Floats:
    """Scores of shape (n, K), uniform for rows without any."""
    assert predictions.scores is not None
    scores = predictions.scores.astype(float)
    missing = ~np.isfinite(scores).all(axis=1)
    if missing.any():
        scores[missing] = 1 / scores.shape[1]
    return scores


def auroc(truth: NDArray[np.int64], scores: Floats, label: int | None) -> tuple[float, Floats]:
    """Area and influence: macro, or of one label."""
    if label is not None:
        return placements(truth == label, scores[:, label])
    areas, influence = auroc_influence(truth, scores)
    counted = areas[np.isfinite(areas)]
    return float(counted.mean()) if len(counted) else float("nan"), influence


def average_precision(truth: NDArray[np.int64], scores: Floats, label: int | None) -> tuple[float, Floats]:
    """Average precision and influence: macro over the labels that occur, or of one label."""
    labels = [label] if label is not None else np.unique(truth).tolist()
    parts = [one_average_precision(truth == k, scores[:, k]) for k in labels]
    return float(np.mean([value for value, _ in parts])), np.mean([influence for _, influence in parts], axis=0)


def one_average_precision(positive: NDArray[np.bool_], scores: Floats) -> tuple[float, Floats]:
    """Σ (R_j - R_{j-1}) P_j over the distinct scores, and each row's influence.

    Rows weigh w_i = 1: AP = (1/P) Σ_{positives i} TP(s_i)/N(s_i), with TP and N the
    weights at or above the row's score; the influence is its derivative by w.
    """
    m1 = int(positive.sum())
    if m1 == 0:
        return float("nan"), np.zeros(len(scores))
    levels, inverse = np.unique(-scores, return_inverse=True)
    hits = np.bincount(inverse, weights=positive, minlength=len(levels))
    above = np.cumsum(np.bincount(inverse, minlength=len(levels))).astype(float)
    hits_above = np.cumsum(hits)
    precision = hits_above / above
    value = float((hits * precision).sum() / m1)
    # adding weight to a row changes TP and N of its own level and of every level below it
    gain_n = -hits * hits_above / above**2
    gain_tp = hits / above
    below_n, below_tp = np.cumsum(gain_n[::-1])[::-1], np.cumsum(gain_tp[::-1])[::-1]
    change = below_n[inverse] + np.where(positive, below_tp[inverse] + precision[inverse] - value, 0.0)
    influence = change / m1
    return value, influence - influence.mean()


def brier_rows(truth: NDArray[np.int64], scores: Floats) -> Floats:
    """Squared error of each row, summed over the labels, shape (n,)."""
    hit = np.zeros_like(scores)
    hit[np.arange(len(truth)), truth] = 1
    result: Floats = ((scores - hit) ** 2).sum(axis=1)
    return result


def log_loss_rows(truth: NDArray[np.int64], scores: Floats) -> Floats:
    """-ln(score of the true label), clipped at 1e-15, shape (n,)."""
    result: Floats = -np.log(np.clip(scores[np.arange(len(truth)), truth], LEAST_SCORE, 1.0))
    return result


def equal_mass_bins(confidence: Floats) -> NDArray[np.int64]:
    """The bin of each row, shape (n,), from 0 without gaps: at most 15, equal confidences never split."""
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, ECE_BINS + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, confidence, side="right"), return_inverse=True)[1]


def expected_calibration_error(truth: NDArray[np.int64], scores: Floats) -> float:
    """Mean |accuracy - confidence| of the top label over 15 bins of equal mass. Biased upwards; see the docs."""
    confidence, correct = scores.max(axis=1), scores.argmax(axis=1) == truth
    gaps = np.bincount(equal_mass_bins(confidence), weights=correct - confidence)
    return float(np.abs(gaps).sum() / len(truth))
