"""Tango's score against published examples, and the exact test against enumeration."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.statistics.paired import (
    _outcomes,
    _tail,
    exact_unconditional_p,
    paired_accuracy,
    tango_bounds,
    tango_z,
)


@pytest.mark.parametrize(
    ("counts", "confidence", "bounds"),
    [
        ((1, 7, 21), 0.975, (-0.517, -0.026)),  # Fagerland, Lydersen and Laake (2014)
        ((40, 20, 160), 0.975, (0.0309, 0.2181)),
        ((400, 95, 3080), 0.95, (0.0877, 0.1107)),
        ((0, 0, 300), 0.95, (-0.00894, 0.00894)),
    ],
)
def test_bounds_match_worked_examples(counts: tuple[int, int, int], confidence: float, bounds: tuple[float, float]):
    assert tango_bounds(*counts, confidence) == pytest.approx(bounds, abs=6e-4)


@pytest.mark.parametrize(("margin", "z"), [(0.05, 7.179), (0.08, 2.769), (0.09, 1.302)])
def test_the_statistic_matches_worked_examples(margin: float, z: float):
    assert tango_z(400, 95, 3080, margin) == pytest.approx(z, abs=5e-4)


def test_at_margin_zero_the_statistic_is_mcnemars():
    assert tango_z(30, 12, 500, 0.0) == pytest.approx((30 - 12) / np.sqrt(42))


@pytest.mark.parametrize("n", [50, 100])
@pytest.mark.parametrize("margin", [-0.02, 0.0, 0.02, 0.05])
def test_the_exact_test_holds_five_percent_for_every_discordance(n: int, margin: float):
    totals = range(n + 1)
    p = {(b, t - b): exact_unconditional_p(b, t - b, n, margin) for t in totals if t <= n // 2 for b in range(t + 1)}
    rejected = np.array([pair for pair, value in p.items() if value <= 0.05], float)
    b, c = rejected[:, 0], rejected[:, 1]
    all_b, all_c, _, coefficient = _outcomes(n, margin, 0, n)
    place = {(int(one), int(other)): index for index, (one, other) in enumerate(zip(all_b, all_c, strict=True))}
    chosen = coefficient[[place[int(one), int(other)] for one, other in rejected]]
    for psi in (abs(margin) + 1e-9, 0.05, 0.1, 0.2):
        if psi > abs(margin):
            assert _tail(b, c, chosen, n, psi, margin) <= 0.05


def test_mcnemar_and_an_observed_margin_would_pass_half_of_the_false_claims():
    # what `beats by 0.02` must not be: a test of margin 0 plus a look at the estimate
    rng = np.random.default_rng(1)
    draws = rng.multinomial(3080, [0.06, 0.04, 0.90], size=4000)
    b, c = draws[:, 0], draws[:, 1]
    z0 = (b - c) / np.sqrt(b + c)
    naive = np.mean((z0 > 1.645) & (b - c >= 0.02 * 3080))
    ours = np.mean([tango_z(one, other, 3080, 0.02) > 1.6449 for one, other in zip(b[:4000], c[:4000], strict=True)])
    assert naive > 0.45
    assert ours <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_bounds_and_p_values_agree():
    rng = np.random.default_rng(2)
    for n in (60, 400, 2000):
        a, b = rng.random(n) < 0.9, rng.random(n) < 0.85
        for threshold in (-0.05, 0.0, 0.02, 0.05):
            found = paired_accuracy(a, b, threshold, 0.95)
            assert (found.low >= threshold) == (found.p_above <= 0.05)
            assert (found.high <= threshold) == (found.p_below <= 0.05)


def test_identical_answers_need_enough_rows_for_a_margin():
    same = np.ones(400, bool)
    assert paired_accuracy(same, same, -0.01, 0.95).p_above <= 0.05
    assert paired_accuracy(same[:200], same[:200], -0.01, 0.95).p_above > 0.05
