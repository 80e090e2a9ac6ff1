"""The difference of two accuracies on the same rows, against any margin.

b rows are right for A alone, c for B alone, of n. The tested quantity is
p_b - p_c, the statistic Tango's score, exact for up to 1,000 rows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr

from pytest_modelcompare.records import Inference
from pytest_modelcompare.statistics.proportion import clopper_pearson

EXACT_UP_TO = 1_000
NUISANCE_COVERAGE = 1e-4
"""Berger and Boos (1994): the nuisance parameter is searched in an interval of this much less than certainty."""


def tango_z(b: float, c: float, n: int, margin: float) -> float:
    """Tango's score statistic of H0: p_b - p_c = margin; 0 where its variance is 0.

    Source: Tango (1998), https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B
    """
    return float(_tango_z(np.asarray(float(b)), np.asarray(float(c)), n, margin))


def _tango_z(b: NDArray[np.float64], c: NDArray[np.float64], n: int, d: float) -> NDArray[np.float64]:
    big_b = -b - c + (2 * n - b + c) * d
    big_c = -c * d * (1 - d)
    q = (np.sqrt(np.maximum(big_b**2 - 8 * n * big_c, 0)) - big_b) / (4 * n)
    variance = n * (2 * q + d * (1 - d))
    with np.errstate(invalid="ignore", divide="ignore"):
        z: NDArray[np.float64] = np.where(variance > 1e-12, (b - c - n * d) / np.sqrt(variance), 0.0)
    return z


def tango_bounds(b: int, c: int, n: int, confidence: float) -> tuple[float, float]:
    """One-sided score bounds of p_b - p_c, each at `confidence`."""
    alpha = 1 - confidence
    low = bisected(lambda margin: ndtr(-tango_z(b, c, n, margin)) > alpha, -1.0, (b - c) / n)
    high = bisected(lambda margin: ndtr(tango_z(b, c, n, margin)) <= alpha, (b - c) / n, 1.0)
    return low, high


def bisected(is_right: object, left: float, right: float, tolerance: float = 1e-7) -> float:
    """Where a predicate turns from False to True between two points."""
    while right - left > tolerance:
        middle = (left + right) / 2
        if is_right(middle):  # type: ignore[operator]
            right = middle
        else:
            left = middle
    return (left + right) / 2


def exact_unconditional_p(b: int, c: int, n: int, margin: float) -> float:
    """Exact p-value against "p_b - p_c is at or below margin", on Tango's statistic.

    The largest probability, over discordance rates psi that the data leave
    plausible (Berger and Boos 1994), of a statistic at least as large as the one seen.
    """
    seen = tango_z(b, c, n, margin)
    low, high = clopper_pearson(b + c, n, 1 - NUISANCE_COVERAGE / 2)
    low, high = max(low, abs(margin)), min(max(high, abs(margin)), 1.0)
    # ten standard deviations beyond the plausible totals of discordant rows nothing is left to add
    reach = 10 * np.sqrt(n * high * (1 - low)) + 10
    bs, cs, z, log_coefficient = _outcomes(n, margin, max(0, int(n * low - reach)), min(n, int(n * high + reach)))
    extreme = z >= seen - 1e-9
    bs, cs, log_coefficient = bs[extreme], cs[extreme], log_coefficient[extreme]
    if len(bs) == 0:
        return NUISANCE_COVERAGE
    grid = np.linspace(low, high, 17)
    worst = 0.0
    for _ in range(3):
        tails = np.array([_tail(bs, cs, log_coefficient, n, psi, margin) for psi in grid])
        best = int(tails.argmax())
        worst = max(worst, float(tails[best]))
        grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], 7)
    return min(1.0, worst + NUISANCE_COVERAGE)


@lru_cache(maxsize=8)
def _outcomes(n: int, margin: float, fewest: int, most: int) -> tuple[NDArray[np.float64], ...]:
    """Every (b, c) with `fewest` to `most` discordant rows, its statistic, and its log trinomial coefficient."""
    totals = np.arange(fewest, most + 1)
    total = np.repeat(totals, totals + 1)
    b = np.arange(len(total)) - np.repeat(np.cumsum(totals + 1) - (totals + 1), totals + 1)
    c = total - b
    log_factorial = gammaln(np.arange(n + 1) + 1.0)
    coefficient = log_factorial[n] - log_factorial[b] - log_factorial[c] - log_factorial[n - total]
    only_a, only_b = b.astype(np.float64), c.astype(np.float64)
    return only_a, only_b, _tango_z(only_a, only_b, n, margin), np.asarray(coefficient, np.float64)


def _tail(
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    log_coefficient: NDArray[np.float64],
    n: int,
    psi: float,
    margin: float,
) -> float:
    """Probability of these outcomes where p_b + p_c = psi and p_b - p_c = margin."""
    p_b, p_c, p_0 = (psi + margin) / 2, (psi - margin) / 2, 1 - psi
    total = log_coefficient.copy()
    for count, p in ((b, p_b), (c, p_c), (n - b - c, p_0)):
        if p > 1e-15:
            total += count * np.log(p)
        else:
            total[count > 0] = -np.inf
    return float(np.exp(total).sum())


def paired_accuracy(
    a_correct: NDArray[np.bool_], b_correct: NDArray[np.bool_], threshold: float, confidence: float
) -> Inference:
    """A's accuracy minus B's on the same rows, against a margin.

    Args:
        a_correct: shape (n,).
        b_correct: shape (n,); the same rows in the same order.
        threshold: the margin, -1 to 1.
    """
    n = len(a_correct)
    b, c = int((a_correct & ~b_correct).sum()), int((~a_correct & b_correct).sum())
    alpha = 1 - confidence
    if n > EXACT_UP_TO:
        z = tango_z(b, c, n, threshold)
        low, high = tango_bounds(b, c, n, confidence)
        return Inference((b - c) / n, low, high, float(ndtr(-z)), float(ndtr(z)), "Tango score", n)
    p_above = exact_unconditional_p(b, c, n, threshold)
    p_below = exact_unconditional_p(c, b, n, -threshold)
    low = exact_bound(b, c, n, alpha)
    high = -exact_bound(c, b, n, alpha)
    low, high = agreeing(low, high, threshold, p_above, p_below, alpha)
    return Inference((b - c) / n, low, high, p_above, p_below, "exact unconditional (Tango statistic)", n)


def exact_bound(b: int, c: int, n: int, alpha: float) -> float:
    """The lower bound that inverts the exact test, to 1/2000, starting from Tango's."""
    guess = tango_bounds(b, c, n, 1 - alpha)[0]
    left, right = max(-1.0, guess - 0.02 - 1 / n), min((b - c) / n, guess + 0.01)
    return bisected(lambda margin: exact_unconditional_p(b, c, n, margin) > alpha, left, right, tolerance=5e-4)


def agreeing(
    low: float, high: float, threshold: float, p_above: float, p_below: float, alpha: float
) -> tuple[float, float]:
    """Bounds found by search, moved over the threshold where the test at the threshold itself says so."""
    low = max(low, threshold) if p_above <= alpha else min(low, threshold)
    high = min(high, threshold) if p_below <= alpha else max(high, threshold)
    return low, high
