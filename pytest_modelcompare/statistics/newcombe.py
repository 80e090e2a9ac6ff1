"""Newcombe's intervals for areas under ROC curves: method 5, a score interval, and MOVER on its limits.

Source: Newcombe (2006), https://doi.org/10.1002/sim.2324
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from pytest_modelcompare.statistics.paired import bisected

Floats = NDArray[np.float64]
FARTHEST_SHIFT = 60.0
POINTS_AT_ONCE = 65
LEAST_AREA = 1e-6
"""Bounds lie this far from 0 and 1 at least."""

LEVELS = (1e-6, 0.5)
"""The least and the largest level that a p-value is searched between."""


def method5_variance(areas: Floats, m1: Floats, m0: Floats) -> float:
    """Variance of the mean of areas, were these the true ones."""
    return float(method5_variances(areas, m1, m0))


def method5_variances(t: Floats, m1: Floats, m0: Floats) -> Floats:
    """The same for areas of shape (…, K): shape (…)."""
    half = (m1 + m0) / 2 - 1
    variance = t * (1 - t) * (1 + half * ((1 - t) / (2 - t) + t / (1 + t))) / (m1 * m0)
    total: Floats = variance.sum(axis=-1) / t.shape[-1] ** 2
    return total


def shifted(areas: Floats, shift: Floats) -> Floats:
    """All areas moved together on the logit scale; an area of 1 or 0 starts just inside.

    Args:
        areas: shape (K,).
        shift: shape (S,).

    Returns:
        shape (S, K).
    """
    inside: Floats = expit(logit(np.clip(areas, 1e-9, 1 - 1e-9)) + shift[:, None])
    return inside


def crossing(is_right: Callable[[Floats], NDArray[np.bool_]], left: float, right: float) -> float:
    """Where a predicate of many shifts turns from False to True; the end where it does not turn.

    A bisection that looks at many points of the interval in one call.
    """
    while right - left > 1e-9:
        points = np.linspace(left, right, POINTS_AT_ONCE)
        first = int(np.argmax(np.append(is_right(points[1:-1]), True)))
        left, right = float(points[first]), float(points[first + 1])
    return (left + right) / 2


def shift_to(areas: Floats, target: float) -> Floats:
    """The areas whose mean is `target`, shape (K,)."""
    if len(areas) == 1:
        return np.array([target])
    shift = crossing(lambda s: shifted(areas, s).mean(axis=1) >= target, -FARTHEST_SHIFT, FARTHEST_SHIFT)
    moved: Floats = shifted(areas, np.array([shift]))[0]
    return moved


def method5_z(areas: Floats, m1: Floats, m0: Floats, threshold: float) -> float:
    """Score statistic of "the mean area is `threshold`"."""
    target = min(max(threshold, 1e-9), 1 - 1e-9)
    return (float(areas.mean()) - threshold) / sqrt(method5_variance(shift_to(areas, target), m1, m0))


def method5_bounds(areas: Floats, m1: Floats, m0: Floats, confidence: float) -> tuple[float, float]:
    """One-sided bounds of the mean area, each at `confidence`."""
    z = float(ndtri(confidence))
    return bound(areas, m1, m0, z), bound(areas, m1, m0, -z)


def bound(areas: Floats, m1: Floats, m0: Floats, z: float) -> float:
    """The mean area at which the score statistic is z: below the one seen for z above 0, above it for others.

    Solved for the shift of the areas, so that no area must be searched for the shift that leads to it.
    """
    seen = float(areas.mean())
    if z <= 0 and seen == 1:
        return 1.0

    def beyond(shift: Floats) -> NDArray[np.bool_]:
        moved = shifted(areas, shift)
        result: NDArray[np.bool_] = seen - moved.mean(axis=1) <= z * np.sqrt(method5_variances(moved, m1, m0))
        return result

    ends = (-FARTHEST_SHIFT, 0.0) if z > 0 else (0.0, FARTHEST_SHIFT)
    found = float(shifted(areas, np.array([crossing(beyond, *ends)])).mean())
    return min(max(found, LEAST_AREA), max(seen, 2 * LEAST_AREA) if z > 0 else 1 - LEAST_AREA)


def mover(areas_a: Floats, areas_b: Floats, m1: Floats, m0: Floats, r: float, confidence: float) -> tuple[float, float]:
    """Bounds of a difference from the bounds of its sides (method of variance estimates recovery).

    Args:
        r: correlation between the sides.
    """
    low = mover_low(areas_a, areas_b, m1, m0, r, confidence)
    return low, -mover_low(areas_b, areas_a, m1, m0, r, confidence)


def mover_low(areas_a: Floats, areas_b: Floats, m1: Floats, m0: Floats, r: float, confidence: float) -> float:
    """The lower bound of A's mean area less B's."""
    z = float(ndtri(confidence))
    a, b = float(areas_a.mean()), float(areas_b.mean())
    down, up = a - bound(areas_a, m1, m0, z), bound(areas_b, m1, m0, -z) - b
    return a - b - sqrt(max(down**2 + up**2 - 2 * r * down * up, 0.0))


def mover_p(areas_a: Floats, areas_b: Floats, m1: Floats, m0: Floats, r: float, threshold: float) -> float:
    """p-value against "A's mean area less B's is at or below the threshold": the level whose bound lies on it."""

    def beyond(level: float) -> bool:
        return mover_low(areas_a, areas_b, m1, m0, r, 1 - level) >= threshold

    least, largest = LEVELS
    return bisected(beyond, least, largest, tolerance=2e-4) if beyond(largest) else 1.0
