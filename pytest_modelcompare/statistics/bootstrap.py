"""BCa on label-answer cells: macro metrics, single or paired."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pytest_modelcompare.records import Inference

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Confusion counts of shape (R, K, K + 1), the last column "no answer", to values of shape (R,)."""

RESAMPLES = 10_000
FEWEST_PER_CLASS = 5
FEWEST_MEAN_PER_CLASS = 8
FLOATS_AT_ONCE = 4_000_000
SKEWED = 0.3
"""|skewness| / √n beyond which a mean decides nothing."""


def bca(
    truth: NDArray[np.int64],
    answers: tuple[NDArray[np.int64], ...],
    statistic: Statistic,
    n_labels: int,
    threshold: float,
    confidence: float,
    influence: NDArray[np.float64],
    resamples: int = RESAMPLES,
    seed: int = 0,
    label: int | None = None,
) -> Inference:
    """A figure of one contestant, or the difference of two on the same rows, by the bias-corrected bootstrap.

    The distinct cells (label, answer of A, answer of B) are resampled with
    multinomial counts, which is resampling rows, only faster.

    Args:
        truth: shape (n,).
        answers: one or two arrays of shape (n,); -1 is no answer.
        statistic: vectorised over resamples.
        influence: shape (n,); of the tested quantity, for the acceleration.
        label: where the statistic is about one label, the small-sample rule asks rows of that one alone.

    Source: Efron (1987), https://doi.org/10.1080/01621459.1987.10478410
    """
    cells, counts = np.unique(np.stack([truth, *answers]), axis=1, return_counts=True)
    value = float(difference(cells, counts[None].astype(float), statistic, n_labels)[0])
    rng = np.random.default_rng(seed)
    n = len(truth)
    step = max(1, FLOATS_AT_ONCE // (n_labels * (n_labels + 1)))
    values = np.concatenate(
        [
            difference(
                cells, rng.multinomial(n, counts / n, min(step, resamples - start)).astype(float), statistic, n_labels
            )
            for start in range(0, resamples, step)
        ]
    )
    low, high, p_above, p_below = bca_bounds(values, value, influence, threshold, 1 - confidence)
    return Inference(value, low, high, p_above, p_below, "BCa bootstrap", n, too_few_per_class(truth, n_labels, label))


def difference(
    cells: NDArray[np.int64], counts: NDArray[np.float64], statistic: Statistic, n_labels: int
) -> NDArray[np.float64]:
    """statistic(A), or statistic(A) - statistic(B), for each resample's cell counts of shape (R, cells)."""
    values = [statistic(confusions(cells[0], answer, counts, n_labels)) for answer in cells[1:]]
    return values[0] if len(values) == 1 else values[0] - values[1]


def confusions(
    truth: NDArray[np.int64], answer: NDArray[np.int64], counts: NDArray[np.float64], n_labels: int
) -> NDArray[np.float64]:
    """Counts per cell to confusion matrices of shape (R, K, K + 1); no answer is the last column."""
    flat = truth * (n_labels + 1) + np.where(answer < 0, n_labels, answer)
    places, inverse = np.unique(flat, return_inverse=True)
    # cells that differ only in the other contestant's answer fall together: sort them and add up
    order = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[order], np.arange(len(places)))
    confusion = np.zeros((len(counts), n_labels * (n_labels + 1)))
    confusion[:, places] = np.add.reduceat(counts[:, order], starts, axis=1)
    return confusion.reshape(len(counts), n_labels, n_labels + 1)


def bca_bounds(
    values: NDArray[np.float64], value: float, influence: NDArray[np.float64], threshold: float, alpha: float
) -> tuple[float, float, float, float]:
    """Lower bound, upper bound, p_above and p_below from resampled values."""
    values = np.sort(values)
    count = len(values)
    bias = float(ndtri(share_below(values, value)))
    cubes, squares = float((influence**3).sum()), float((influence**2).sum())
    acceleration = cubes / (6 * squares**1.5) if squares > 0 else 0.0

    def quantile(level: float) -> float:
        z = bias + float(ndtri(level))
        position = float(ndtr(bias + z / max(1 - acceleration * z, 0.05))) * count - 0.5
        return float(np.interp(position, np.arange(count), values))

    if values[0] == values[-1]:
        return value, value, float(value <= threshold), float(value >= threshold)
    # the level at which the bound lies on the threshold: `quantile` solved for its argument
    w = float(ndtri(share_below(values, threshold))) - bias
    level = float(ndtr(w / (1 + acceleration * w) - bias)) if 1 + acceleration * w > 0.05 else float(w > 0)
    return quantile(alpha), quantile(1 - alpha), level, 1 - level


def share_below(values: NDArray[np.float64], point: float) -> float:
    """Share of sorted values below a point, ties half, kept off 0 and 1."""
    count = len(values)
    below = float(np.searchsorted(values, point, "left") + np.searchsorted(values, point, "right")) / 2
    return min(max(below, 0.5), count - 0.5) / count


def too_few_per_class(truth: NDArray[np.int64], n_labels: int, label: int | None = None) -> str | None:
    """The small-sample rule: at least 5 rows in every class, and 8 on average."""
    per_class = np.bincount(truth, minlength=n_labels)
    if label is not None:
        few = per_class[label] < FEWEST_MEAN_PER_CLASS
        return f"the label has {per_class[label]} test rows, and fewer than 8 decide nothing" if few else None
    if per_class.min() < FEWEST_PER_CLASS:
        small = int((per_class < FEWEST_PER_CLASS).sum())
        return (
            f"{small} of {n_labels} labels have fewer than {FEWEST_PER_CLASS} test rows (the fewest: {per_class.min()})"
        )
    if per_class.mean() < FEWEST_MEAN_PER_CLASS:
        mean = f"{per_class.mean():.1f}"
        return f"there are {mean} test rows per label, and fewer than {FEWEST_MEAN_PER_CLASS} decide nothing"
    return None


def bca_mean(values: NDArray[np.float64], threshold: float, confidence: float, seed: int = 0) -> Inference:
    """The mean of a skewed quantity."""
    n = len(values)
    rng = np.random.default_rng(seed)
    step = max(1, FLOATS_AT_ONCE // n)
    means = np.concatenate(
        [
            values[rng.integers(0, n, (min(step, RESAMPLES - start), n))].mean(axis=1)
            for start in range(0, RESAMPLES, step)
        ]
    )
    value = float(values.mean())
    influence = (values - value) / n
    low, high, p_above, p_below = bca_bounds(means, value, influence, threshold, 1 - confidence)
    skewed = abs(skewness(values)) / sqrt(n)
    because = f"the values are so skewed that {n} of them decide nothing" if skewed > SKEWED else None
    return Inference(value, low, high, p_above, p_below, "BCa bootstrap of the mean", n, because)


def skewness(values: NDArray[np.float64]) -> float:
    deviations = values - values.mean()
    spread = float((deviations**2).mean()) ** 1.5
    return float((deviations**3).mean()) / spread if spread > 0 else 0.0
