"""Metrics of the label alone: from confusion counts, vectorised for the bootstrap, and by influence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def confusion_matrix(truth: NDArray[np.int64], answer: NDArray[np.int64], n_labels: int) -> Floats:
    """Counts, shape (K, K + 1): true label by answer; the last column is no answer."""
    flat = truth * (n_labels + 1) + np.where(answer < 0, n_labels, answer)
    return np.bincount(flat, minlength=n_labels * (n_labels + 1)).reshape(n_labels, n_labels + 1).astype(float)


def counts(confusion: Floats) -> tuple[Floats, Floats, Floats]:
    """True positives, rows of the label, answers of the label, each of shape (R, K)."""
    return np.einsum("rkk->rk", confusion[:, :, :-1]), confusion.sum(axis=2), confusion[:, :, :-1].sum(axis=1)


def ratio(top: Floats, bottom: Floats) -> Floats:
    """top / bottom, 0 where bottom is 0, as scikit-learn's `zero_division=0`."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def accuracy(confusion: Floats) -> Floats:
    tp, true, _ = counts(confusion)
    return ratio(tp.sum(axis=1), true.sum(axis=1))


def coverage(confusion: Floats) -> Floats:
    return ratio(confusion[:, :, :-1].sum(axis=(1, 2)), confusion.sum(axis=(1, 2)))


def per_label_f1(confusion: Floats) -> Floats:
    tp, true, answered = counts(confusion)
    return ratio(2 * tp, true + answered)


def per_label_precision(confusion: Floats) -> Floats:
    tp, _, answered = counts(confusion)
    return ratio(tp, answered)


def per_label_recall(confusion: Floats) -> Floats:
    tp, true, _ = counts(confusion)
    return ratio(tp, true)


def f1_weighted(confusion: Floats) -> Floats:
    true = counts(confusion)[1]
    return ratio((per_label_f1(confusion) * true).sum(axis=1), true.sum(axis=1))


def balanced_accuracy(confusion: Floats) -> Floats:
    present = counts(confusion)[1] > 0
    return ratio((per_label_recall(confusion) * present).sum(axis=1), present.sum(axis=1).astype(float))


def mcc(confusion: Floats) -> Floats:
    """Gorodkin's multi-class correlation; no answer is a class that is never true."""
    tp, true, answered = counts(confusion)
    n = true.sum(axis=1)
    none = n - answered.sum(axis=1)
    covariance = tp.sum(axis=1) * n - (true * answered).sum(axis=1)
    spread_answered = n**2 - (answered**2).sum(axis=1) - none**2
    spread_true = n**2 - (true**2).sum(axis=1)
    return ratio(covariance, np.sqrt(np.maximum(spread_answered * spread_true, 0)))


PER_LABEL = {"f1": per_label_f1, "precision": per_label_precision, "recall": per_label_recall}
WHOLE = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "mcc": mcc,
    "f1_weighted": f1_weighted,
    "coverage": coverage,
}


def confusion_statistic(metric: str, label: int | None = None) -> Callable[[Floats], Floats]:
    """The metric as a function of confusion counts (R, K, K + 1) to values (R,)."""
    if metric in WHOLE:
        return WHOLE[metric]
    by_label = PER_LABEL[metric]
    if label is None:
        return lambda confusion: by_label(confusion).mean(axis=1)
    return lambda confusion: by_label(confusion)[:, label]


def value_and_influence(
    metric: str, truth: NDArray[np.int64], answer: NDArray[np.int64], n_labels: int, label: int | None
) -> tuple[float, Floats]:
    """A metric, and the influence of each row on it.

    The influence is the derivative of the metric by the weight of the row's cell,
    taken by a central difference on the confusion counts: one for each distinct
    cell, so the cost does not grow with the rows.

    Returns:
        the value; shape (n,), summing to 0.
    """
    statistic = confusion_statistic(metric, label)
    confusion = confusion_matrix(truth, answer, n_labels)
    value = float(statistic(confusion[None])[0])
    flat = truth * (n_labels + 1) + np.where(answer < 0, n_labels, answer)
    cells, inverse = np.unique(flat, return_inverse=True)
    influence = cell_derivatives(statistic, confusion, cells)[inverse]
    return value, influence - influence.mean()


def cell_derivatives(statistic: Callable[[Floats], Floats], confusion: Floats, cells: NDArray[np.int64]) -> Floats:
    """Derivative of a statistic by the count of each cell, a bounded number of cells at a time."""
    step = 1e-4
    at_once = max(1, 2_000_000 // confusion.size)
    derivatives = np.empty(len(cells))
    for start in range(0, len(cells), at_once):
        some = cells[start : start + at_once]
        moved = np.repeat(confusion[None], len(some), axis=0)
        places = (np.arange(len(some)), some // confusion.shape[1], some % confusion.shape[1])
        moved[places] += step
        above = statistic(moved)
        moved[places] -= 2 * step
        derivatives[start : start + at_once] = (above - statistic(moved)) / (2 * step)
    return derivatives
