"""AUROC with few positives: the score interval and the wider of two intervals, beside what passes too often."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.special import logit

from pytest_modelcompare.statistics.auroc import (
    auroc,
    auroc_difference,
    correlation,
    delong_variance,
    placements,
)
from pytest_modelcompare.statistics.means import t_inference
from pytest_modelcompare.statistics.newcombe import method5_z, mover
from tests.statistics.acceptance.worlds import Z95, Errors, binormal, binormal_pair, two_columns

AREA = 0.9032
AREA_A, AREA_B = 0.9831, 0.9615


def both_sides(z: float) -> tuple[bool, bool]:
    return z >= Z95, z <= -Z95


def few_positives(runs: int, seed: int = 5) -> tuple[Errors, Errors, Errors]:
    """15 + 285 rows at their true area: method 5, logit of DeLong, DeLong alone."""
    rng = np.random.default_rng(seed)
    score, by_logit, wald = [], [], []
    for _ in range(runs):
        truth, scores = binormal(rng, 15, 285, AREA)
        area, influence = placements(truth == 1, scores)
        score.append(both_sides(method5_z(np.array([area]), np.array([15.0]), np.array([285.0]), AREA)))
        se = sqrt(delong_variance(truth, influence, 1)[0])
        wald.append(both_sides((area - AREA) / se))
        # an area of 1 has no logit: its interval is the point 1
        by_logit.append(both_sides((logit(area) - logit(AREA)) * area * (1 - area) / se if area < 1 else 9.0))
    return Errors.of(score), Errors.of(by_logit), Errors.of(wald)


def worse_against_better(runs: int, seed: int = 6, *, exchanged: bool = False) -> tuple[Errors, Errors]:
    """25 + 300 rows, A better than B by exactly the threshold, or worse: the wider rule, DeLong's t alone.

    A verdict needs both intervals, so MOVER is asked only where DeLong decides.
    """
    rng = np.random.default_rng(seed)
    area_of_a, area_of_b = (AREA_B, AREA_A) if exchanged else (AREA_A, AREA_B)
    threshold = area_of_a - area_of_b
    m1, m0 = np.array([25.0]), np.array([300.0])
    wider, delong = [], []
    for _ in range(runs):
        truth, a, b = binormal_pair(rng, 25, 300, area_of_a, area_of_b, 0.6)
        (area_a, influence_a), (area_b, influence_b) = (placements(truth == 1, side) for side in (a, b))
        variance, df = delong_variance(truth, influence_a - influence_b, 1)
        found = t_inference(area_a - area_b, sqrt(variance), df, threshold, 0.95, "DeLong", 325)
        flags = (found.p_above <= 0.05, found.p_below <= 0.05)
        delong.append(flags)
        low, high = -1.0, 1.0
        if any(flags):
            r = correlation(influence_a, influence_b)
            low, high = mover(np.array([area_a]), np.array([area_b]), m1, m0, r, 0.95)
        wider.append((flags[0] and low >= threshold, flags[1] and high <= threshold))
    return Errors.of(wider), Errors.of(delong)


def test_method_5_holds_its_level_with_fifteen_positives_where_delong_does_not():
    score, by_logit, wald = few_positives(3000)
    assert score.passes.near(1.5)
    assert score.at_most(6)
    assert by_logit.passes.exceeds(6)
    assert wald.passes.exceeds(6)


@pytest.mark.parametrize("seed", range(5))
def test_that_rule_is_what_a_gate_is_judged_by(seed: int):
    truth, scores = binormal(np.random.default_rng(seed), 15, 285, AREA)
    area, _ = placements(truth == 1, scores)
    z = method5_z(np.array([area]), np.array([15.0]), np.array([285.0]), AREA)
    found = auroc(truth, two_columns(scores), AREA, 0.95, label=1)
    assert (found.p_above <= 0.05, found.p_below <= 0.05) == both_sides(z)


def test_the_wider_rule_holds_a_difference_where_delong_says_worse_too_often():
    # B is worse by exactly the threshold: DeLong calls it worse by more in 12 to 13 %
    wider, delong = worse_against_better(1000)
    assert wider.at_most(1)
    assert delong.fails.near(12.5)
    assert delong.fails.exceeds(6)


def test_the_wider_rule_holds_the_same_with_the_sides_exchanged():
    wider, delong = worse_against_better(700, exchanged=True)
    assert wider.at_most(1)
    assert delong.passes.exceeds(6)


@pytest.mark.parametrize("seed", range(3))
def test_the_wider_rule_is_what_a_difference_is_judged_by(seed: int):
    truth, a, b = binormal_pair(np.random.default_rng(seed), 25, 300, AREA_A, AREA_B, 0.6)
    found = auroc_difference(truth, two_columns(a), two_columns(b), AREA_A - AREA_B, 0.95, label=1)
    assert found.method == "wider of DeLong and MOVER"
    sides = [placements(truth == 1, side) for side in (a, b)]
    r = correlation(sides[0][1], sides[1][1])
    areas = [np.array([area]) for area, _ in sides]
    low, high = mover(areas[0], areas[1], np.array([25.0]), np.array([300.0]), r, 0.95)
    assert found.low <= low
    assert found.high >= high
