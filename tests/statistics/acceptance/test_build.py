"""What a build of ten gates guarantees, and what it does not: gates as z-scores, tested one by one."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest

from pytest_modelcompare.statistics.means import t_inference
from pytest_modelcompare.statistics.multiplicity import holm
from tests.statistics.acceptance.worlds import Floats, Share

GATES = 10
RUNS = 10_000


def gates(runs: int, clear_by: list[float], rho: float = 0.0, seed: int = 1) -> Floats:
    """Estimates of each gate in standard errors above its threshold, shape (runs, gates), equally correlated."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(runs, 1))
    return sqrt(rho) * common + sqrt(1 - rho) * rng.normal(size=(runs, len(clear_by))) + np.array(clear_by)


def p_values(estimates: Floats) -> tuple[Floats, Floats]:
    """p_above and p_below of "it lies above 0"."""
    found = [t_inference(z, 1.0, inf, 0.0, 0.95, "z", 1) for z in estimates.ravel()]
    shape = estimates.shape
    return np.reshape([one.p_above for one in found], shape), np.reshape([one.p_below for one in found], shape)


def green(estimates: Floats) -> Share:
    """Builds in which every gate passes."""
    return Share.of((p_values(estimates)[0] <= 0.05).all(axis=1))


def some_gate_fails(estimates: Floats) -> Share:
    return Share.of((p_values(estimates)[1] <= 0.05).any(axis=1))


def any_of_passes(estimates: Floats) -> Share:
    return Share.of([min(holm(list(row))) <= 0.05 for row in p_values(estimates)[0]])


def uncorrected_any_of_passes(estimates: Floats) -> Share:
    return Share.of((p_values(estimates)[0] <= 0.05).any(axis=1))


def test_one_false_claim_lets_a_build_pass_in_five_percent():
    # the false gate passes in 5 %, each of the others in Φ(4 - 1.645) = 99.07 %: .05 * .9907**9 = 4.6 %
    found = green(gates(RUNS, [0.0] + [4.0] * 9))
    assert found.near(4.6)
    assert found.at_most(5)


def test_ten_true_claims_on_their_thresholds_show_some_red_line_in_forty_percent():
    # 1 - .95**10: a red line of a build is not protected
    found = some_gate_fails(gates(RUNS, [0.0] * GATES))
    assert found.near(40.1)
    assert found.exceeds(5)


@pytest.mark.parametrize(("rho", "expected"), [(0.0, 10.7), (0.5, 38.5)])
def test_ten_gates_of_eighty_percent_power_are_rarely_green_together(rho: float, expected: float):
    # 1.645 + .842 = 2.486 standard errors; independent: .8**10
    assert green(gates(RUNS, [2.486] * GATES, rho)).near(expected)


@pytest.mark.parametrize(("rho", "expected"), [(0.0, 4.9), (0.8, 2.2)])
def test_any_of_ten_false_claims_passes_in_at_most_five_percent(rho: float, expected: float):
    found = any_of_passes(gates(RUNS, [0.0] * GATES, rho))
    assert found.near(expected)
    assert found.at_most(5)


def test_any_of_without_a_correction_would_pass_in_forty_percent():
    found = uncorrected_any_of_passes(gates(RUNS, [0.0] * GATES))
    assert found.near(40.2)
    assert found.exceeds(5)
