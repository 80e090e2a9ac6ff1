"""Bounds of differences between latencies, in milliseconds."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.stats import t as student

from pytest_modelcompare.statistics.latency import block_comparison

BLOCKS = np.repeat(np.arange(20), 20)
RNG = np.random.default_rng(7)


def test_a_difference_of_means_has_the_bounds_of_its_blocks():
    fast, slow = RNG.normal(0.2, 0.01, 400), RNG.normal(6, 0.5, 400)
    found = block_comparison(fast, BLOCKS, slow, BLOCKS, None, 1.0, 0.0, 0.95)
    each = (fast - slow).reshape(20, 20).mean(axis=1)
    half = student.ppf(0.95, 19) * each.std(ddof=1) / sqrt(20)
    assert (found.high - found.low) / 2 == pytest.approx(half)
    assert found.value == pytest.approx(-5.8, abs=0.1)
    assert half > 0.02  # the ratio's own bounds, taken at the slow one's level, would be some 0.002 wide


def test_bounds_lie_on_the_side_that_the_test_says():
    # one slow block in twenty: the ratio of each block shows A faster, the difference of means might not
    slow = np.full(400, 10.0) + RNG.normal(0, 0.1, 400)
    fast = slow * 0.97
    fast[BLOCKS == 3] = slow[BLOCKS == 3] * 0.2
    slow[BLOCKS == 3] *= 0.21
    found = block_comparison(fast, BLOCKS, slow, BLOCKS, None, 1.0, 0.0, 0.95)
    assert found.p_below < 0.05
    assert found.low < found.value < found.high <= 0
