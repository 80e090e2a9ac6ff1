"""Two recipes with seeds of their own on the same rows: their scatters add, their rows are shared."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from scipy.stats import t as student

from pytest_modelcompare.gates.combine import added, combined, scaled
from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.metrics.measured import TEST_ROWS
from pytest_modelcompare.records import Estimate, Evidence, Predictions, Verdict
from pytest_modelcompare.statistics.influence import from_influence, spread_of

LABELS = ("ham", "spam")
N = 1000
TRUTH = np.arange(N) % 2


def recipe(name: str, *wrong: int) -> Evidence:
    """Each seed is wrong on the first so many rows: the rows of a smaller count lie within those of a larger one."""
    answers = [np.where(np.arange(N) < count, 1 - TRUTH, TRUTH) for count in wrong]
    predictions = tuple(Predictions(answer) for answer in answers)
    return Evidence(name, "fine_tune", LABELS, TRUTH, predictions=predictions, seeds=tuple(range(len(wrong))))


def verdict(sentence: str, *sides: Evidence) -> Verdict:
    return judge(GateSpec(sentence, (parse(sentence),)), {side.name: side for side in sides})


def spread_between(*sides: Evidence):
    question = question_of(parse(f"{sides[0].name} beats {sides[1].name} on accuracy"))
    return spread_of(combined(question, {side.name: side for side in sides}))


A, B = recipe("a", 100, 120, 140), recipe("b", 200, 220, 240, 260, 280)


def test_three_seeds_against_five_have_both_scatters_and_the_shared_rows():
    # seeds: MS = .0004 of .90 .88 .86, over 3; .001 of .80 .78 .76 .74 .72, over 5
    scatter_a, scatter_b = 0.0004 / 3, 0.001 / 5
    # rows: two seeds wrong in u <= v of the rows, those of u within those of v, covary by u (1 - v) / (n - 1)
    cov_a = np.mean([u * (1 - v) for u, v in combinations((0.10, 0.12, 0.14), 2)]) / 999
    cov_b = np.mean([u * (1 - v) for u, v in combinations((0.20, 0.22, 0.24, 0.26, 0.28), 2)]) / 999
    cov_ab = 0.12 * (1 - 0.24) / 999
    assert (999 * cov_a, 999 * cov_b, 999 * cov_ab) == pytest.approx((0.0924, 0.1626, 0.0912))
    expected = scatter_a + scatter_b + cov_a + cov_b - 2 * cov_ab
    df = expected**2 / (scatter_a**2 / 2 + scatter_b**2 / 4)
    found = spread_between(A, B)
    assert (found.variance, found.df) == pytest.approx((expected, df))
    assert (expected, df) == pytest.approx((0.00040601, 8.727), rel=1e-3)


def test_three_seeds_against_five_are_judged():
    found = verdict("a beats b on accuracy", A, B)
    assert (found.outcome, found.target) == ("pass", "the recipes' means over 3 seeds (a) and 5 seeds (b)")
    assert found.difference is not None
    assert found.difference.value == pytest.approx(0.88 - 0.76)
    assert found.difference.low == pytest.approx(0.12 - student.ppf(0.95, 8.727) * sqrt(0.00040601), abs=1e-5)
    assert verdict("b beats a on accuracy", A, B).outcome == "fail"
    assert verdict("a beats b on accuracy by 0.10", A, B).outcome == "undecided"


def test_the_order_of_seeds_says_nothing():
    # no seed of one recipe belongs to a seed of the other
    other = recipe("b", 280, 200, 260, 240, 220)
    assert spread_between(A, other).variance == pytest.approx(spread_between(A, B).variance)


def test_seeds_of_equal_accuracy_still_scatter_by_the_rows_they_do_not_share():
    # each seed of a is wrong on 100 rows of its own: MS = 0, and MS* = Var1 - Cov2 = (.09 + .01) / 999
    answers = [np.where(np.arange(N) // 100 == seed, 1 - TRUTH, TRUTH) for seed in range(3)]
    a = Evidence("a", "fine_tune", LABELS, TRUTH, predictions=tuple(map(Predictions, answers)), seeds=(0, 1, 2))
    b = recipe("b", 200)
    # b, trained once, is wrong on the rows of the first two seeds of a: covariances of .1 x .8, .1 x .8, -.1 x .2
    rows = (-0.01 + 0.2 * 0.8 - 2 * (0.08 + 0.08 - 0.02) / 3) / 999
    assert spread_between(a, b).variance == pytest.approx((0.09 + 0.01) / 999 / 3 + rows)


def test_two_seeds_on_one_side_decide_nothing():
    assert "two seeds say too little" in verdict("a beats b on accuracy", recipe("a", 100, 120), B).message


def differences(runs: int, counts: tuple[int, int], seed_sd: float, rows: int = 60) -> list[Estimate]:
    """Differences of two recipes that are equally good; errors of the rows .55 points, a third of it each side's own.

    13 % of a side's row variance differs from seed to seed.
    """
    rng = np.random.default_rng(11)
    row_se = 0.0055 / sqrt(rows)
    of_rows = rng.normal(size=(runs, 1, rows))
    sides = []
    for count in counts:
        of_side, own = rng.normal(size=(runs, 1, rows)), rng.normal(size=(runs, count, rows))
        noise = row_se * (sqrt(0.54) * of_rows + sqrt(0.33) * of_side + sqrt(0.13) * own)
        sides.append((rng.normal(0, seed_sd, (runs, count)) + noise.sum(axis=2), noise))
    found = []
    for run in range(runs):
        a, b = (
            Estimate(
                float(values[run].mean()),
                noise[run] - noise[run].mean(axis=1, keepdims=True),
                values[run],
                unit=TEST_ROWS,
                sides=(name,) * len(values[run]),
            )
            for name, (values, noise) in zip("ab", sides, strict=True)
        )
        found.append(added(a, scaled(b, -1.0)))
    return found


@pytest.mark.parametrize("counts", [(3, 3), (3, 5)])
def test_two_equal_recipes_beat_each_other_in_at_most_six_percent(counts: tuple[int, int]):
    runs = 3000
    judged = [from_influence(one, 0.0, 0.95) for one in differences(runs, counts, seed_sd=0.01)]
    passes, fails = (np.mean([getattr(one, side) <= 0.05 for one in judged]) for side in ("p_above", "p_below"))
    assert 0.03 < passes <= 0.06
    assert 0.03 < fails <= 0.06


def test_rows_alone_would_err_far_more_often():
    # seeds scatter by 1 point, which rows of a single model do not see
    alone = [
        (one.value, sqrt(float(((one.influence[:3].mean(axis=0) + one.influence[3:].mean(axis=0)) ** 2).sum())))
        for one in differences(1000, (3, 3), seed_sd=0.01)
    ]
    assert np.mean([value > 1.645 * se for value, se in alone]) > 0.15
