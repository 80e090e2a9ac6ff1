"""What it takes for a test to have power: the true value, the rows; and the power of several tests together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, inf, log, log1p, sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from pytest_modelcompare.statistics.paired import EXACT_UP_TO, NUISANCE_COVERAGE, bisected

TARGET = 0.8
GRID = 60


def true_value_needed(power: Callable[[float], float], threshold: float, best: float) -> float | None:
    """The true value nearest to the threshold at which a test has 80 % power; None where none up to `best` has.

    Args:
        power: true value → power.
        best: the end of the values that favour the claim, above or below the threshold.
    """
    grid = np.linspace(threshold, best, GRID)
    # groups that agree in full can tell less than groups that nearly do, so power need not rise to the end
    enough = next((number for number, true in enumerate(grid) if power(float(true)) >= TARGET), None)
    if enough is None or enough == 0:
        return None if enough is None else threshold
    sign = 1 if best > threshold else -1
    left, right = sorted((sign * float(grid[enough - 1]), sign * float(grid[enough])))
    return sign * bisected(lambda at: power(sign * at) >= TARGET, left, right, tolerance=1e-6)


def rows_all_right(threshold: float, confidence: float) -> float:
    """Fewest rows of which all are right that show a share above `threshold`: 59 for 0.95."""
    if threshold <= 0:
        return 1
    return inf if threshold >= 1 else ceil(log(1 - confidence) / log(threshold) - 1e-9)


def rows_identical(within: float, confidence: float) -> float:
    """Fewest rows on which identical answers show a loss of less than `within`: 299 for 0.01."""
    if within <= 0:
        return inf
    if within >= 1:
        return 1
    # the exact test adds the level at which it searches the nuisance parameter
    exact = ceil(log(1 - confidence - NUISANCE_COVERAGE) / log1p(-within))
    score = ceil(float(ndtri(confidence)) ** 2 * (1 - within) / within)
    return exact if exact <= EXACT_UP_TO else max(EXACT_UP_TO + 1, score)


def joint_power(powers: Sequence[float], correlation: float = 0.0) -> float:
    """Probability that every test passes.

    One factor in common: test i passes where √ρ F + √(1 - ρ) e_i falls below Φ⁻¹(power i), F and e_i standard normal.

    Args:
        correlation: ρ, 0 to less than 1; 0 is independence.
    """
    if correlation == 0 or not powers:
        return float(np.prod(np.asarray(powers, float)))
    points, weights = np.polynomial.hermite_e.hermegauss(100)
    limits = np.asarray(ndtri(np.asarray(powers, float)), float)
    given = ndtr((limits[:, None] - sqrt(correlation) * points) / sqrt(1 - correlation))
    return float((given.prod(axis=0) * weights).sum() / sqrt(2 * np.pi))
