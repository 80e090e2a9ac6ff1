"""Bounds of areas under ROC curves: each lies where the score statistic says."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from pytest_modelcompare.statistics.newcombe import (
    crossing,
    method5_bounds,
    method5_variance,
    method5_z,
    mover,
    mover_p,
    shift_to,
)

Areas = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

ONE: Areas = (np.array([0.9]), np.array([15.0]), np.array([285.0]))
FOUR: Areas = (
    np.array([0.99, 0.97, 1.0, 0.90]),
    np.array([25.0, 25.0, 50.0, 400.0]),
    np.array([475.0, 475.0, 450.0, 100.0]),
)


def test_the_variance_of_one_area_worked_by_hand():
    # .9 x .1 x (1 + 149 (.1/1.1 + .9/1.9)) / (15 x 285) = .09 x 85.125 / 4275
    assert method5_variance(*ONE) == pytest.approx(0.09 * (1 + 149 * (0.1 / 1.1 + 0.9 / 1.9)) / 4275)
    assert method5_variance(*ONE) == pytest.approx(0.0017921, abs=1e-7)


@pytest.mark.parametrize("world", [ONE, FOUR])
@pytest.mark.parametrize("confidence", [0.95, 0.999])
def test_at_a_bound_the_score_statistic_is_the_normal_quantile(world: Areas, confidence: float):
    low, high = method5_bounds(*world, confidence)
    z = norm.ppf(confidence)
    assert method5_z(*world, low) == pytest.approx(z, abs=1e-5)
    assert method5_z(*world, high) == pytest.approx(-z, abs=1e-5)


def test_an_area_of_one_has_a_lower_bound():
    low, high = method5_bounds(np.ones(1), np.array([10.0]), np.array([90.0]), 0.95)
    variance = method5_variance(np.array([low]), np.array([10.0]), np.array([90.0]))
    assert (1 - low) / sqrt(variance) == pytest.approx(norm.ppf(0.95), abs=1e-5)
    assert high == 1.0


def test_areas_are_moved_together_until_their_mean_is_the_target():
    moved = shift_to(FOUR[0], 0.93)
    assert moved.mean() == pytest.approx(0.93, abs=1e-8)
    assert (np.argsort(moved) == np.argsort(FOUR[0])).all()


def test_uncorrelated_sides_add_their_distances_in_squares():
    a: Areas = (np.array([0.95]), *ONE[1:])
    b = ONE
    (low_a, high_a), (low_b, high_b) = (method5_bounds(*side, 0.95) for side in (a, b))
    low, high = mover(a[0], b[0], *ONE[1:], 0.0, 0.95)
    assert low == pytest.approx(0.05 - sqrt((0.95 - low_a) ** 2 + (high_b - 0.9) ** 2))
    assert high == pytest.approx(0.05 + sqrt((high_a - 0.95) ** 2 + (0.9 - low_b) ** 2))


def test_the_p_value_is_the_level_whose_bound_lies_on_the_threshold():
    a, b, counts = FOUR[0], FOUR[0] - 0.03, FOUR[1:]
    low, high = mover(a, b, *counts, 0.5, 0.98)
    # the level is searched to 2 in 10,000
    assert mover_p(a, b, *counts, 0.5, low) == pytest.approx(0.02, abs=2e-4)
    assert mover_p(b, a, *counts, 0.5, -high) == pytest.approx(0.02, abs=2e-4)
    assert mover_p(a, b, *counts, 0.5, 0.5) == 1.0


def test_a_crossing_that_is_not_there_is_an_end():
    assert crossing(lambda shift: shift > 9, -1.0, 1.0) == pytest.approx(1.0)
    assert crossing(lambda shift: shift > -9, -1.0, 1.0) == pytest.approx(-1.0)
    assert crossing(lambda shift: shift >= 0.3, -1.0, 1.0) == pytest.approx(0.3)
