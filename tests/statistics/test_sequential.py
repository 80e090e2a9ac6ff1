"""Group-sequential tests against published boundaries, enumeration, and simulation."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, multivariate_normal, norm

from pytest_modelcompare.records import Inference, Outcomes
from pytest_modelcompare.statistics.boundaries import (
    SequentialPlan,
    boundaries,
    linear,
    repeated_p_value,
    sequential_plan,
)
from pytest_modelcompare.statistics.futility import conditional_power, given_up
from pytest_modelcompare.statistics.looks import Schedule, group_ends, look_schedule, ready_looks, seeded_order
from pytest_modelcompare.statistics.paired import paired_accuracy
from pytest_modelcompare.statistics.proportion import exact_proportion
from pytest_modelcompare.statistics.sequential import BIASED, SequentialResult, take_looks

BANKING = look_schedule(3080)


def simulations():
    path = Path(__file__).parents[2] / "benchmarks" / "sequential.py"
    spec = importlib.util.spec_from_file_location("sequential_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def z_test(z: float, value: float = 0.0, se: float = 0.01):
    """A test that gives this z against threshold 0, whatever the rows."""

    def test(n_rows: int, confidence: float) -> Inference:
        half = norm.ppf(confidence) * se
        return Inference(value, value - half, value + half, norm.sf(z), norm.cdf(z), "z", n_rows)

    return test


def monte_carlo(p: float, runs: int) -> float:
    return 3 * sqrt(p * (1 - p) / runs)


def test_looks_are_at_halves_of_the_rows_and_not_before_96():
    assert Schedule((96, 193, 385, 770, 1540, 3080)) == BANKING
    assert BANKING.fractions == pytest.approx((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1), abs=2e-4)
    assert look_schedule(190).rows == (190,)  # half of them would be 95


@pytest.mark.parametrize(
    ("spend", "expected"),
    [
        (linear, (2.956, 2.896, 2.676, 2.425, 2.147, 1.832)),
        (sqrt, (2.373, 2.550, 2.454, 2.324, 2.182, 2.027)),
    ],
)
def test_boundaries_match_the_published_recursion(spend, expected):
    assert boundaries(BANKING.fractions, 0.05, spend) == pytest.approx(expected, abs=6e-4)


def test_one_look_is_the_fixed_size_test():
    assert boundaries((1.0,), 0.05) == pytest.approx((1.644854,), abs=1e-6)


@pytest.mark.parametrize("fractions", [(0.2, 0.5, 1.0), (0.5, 0.51, 1.0)])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_boundaries_spend_what_the_multivariate_normal_says(fractions, alpha):
    c = boundaries(fractions, alpha)
    t = np.array(fractions)
    covariance = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    within = multivariate_normal.cdf(c, np.zeros(3), covariance, abseps=1e-8, releps=1e-8)
    assert 1 - within == pytest.approx(alpha, abs=2e-6)
    two = multivariate_normal.cdf(c[:2], np.zeros(2), covariance[:2, :2], abseps=1e-8)
    assert 1 - two == pytest.approx(alpha * fractions[1], abs=2e-6)


def test_a_repeated_p_value_is_alpha_on_the_boundary():
    for look, c in enumerate(boundaries(BANKING.fractions, 0.05), 1):
        assert repeated_p_value(norm.sf(c), BANKING.fractions[:look]) == pytest.approx(0.05, rel=1e-3)
    assert repeated_p_value(0.04, BANKING.fractions) > 0.05  # at six looks p = .04 shows nothing
    assert repeated_p_value(0.3, BANKING.fractions[:1]) == pytest.approx(1.0, abs=1e-3)


def test_the_order_is_the_same_for_the_same_data_on_every_version_of_numpy():
    # by eight bytes a row of shake_256("order of rows abc"); recordings are made in this order: never change it
    assert seeded_order("abc", 8).tolist() == [1, 3, 0, 2, 7, 4, 5, 6]
    assert sorted(seeded_order("abc", 3080)) == list(range(3080))
    assert seeded_order("abd", 8).tolist() != seeded_order("abc", 8).tolist()


def test_an_order_favours_no_part_of_the_file():
    # the first 96 of 3080 rows, over 300 data sets: mean row number 1539.5, standard error 889 / sqrt(300 * 96)
    firsts = [seeded_order(str(digest), 3080)[:96] for digest in range(300)]
    assert np.mean(firsts) == pytest.approx(1539.5, abs=3 * 889 / sqrt(300 * 96))


def test_groups_are_drawn_whole_and_looks_wait_for_their_ends():
    groups = np.random.default_rng(0).integers(0, 40, 400)
    order = seeded_order("abc", 400, groups)
    assert sorted(order) == list(range(400))
    ends = group_ends(order, groups)
    assert len(ends) == len(np.unique(groups))  # no group is begun twice
    rows = look_schedule(400, ends).rows
    for count, planned in zip(rows, (100, 200, 400), strict=True):
        assert planned <= count
        assert not set(groups[order[:count]]) & set(groups[order[count:]])


def test_looks_that_move_to_the_same_batch_end_are_one():
    assert look_schedule(3080, np.array([1000, 2000, 3000, 3080])).rows == (1000, 2000, 3080)


def test_a_look_waits_for_the_one_row_that_is_late():
    answered = np.ones(3080, bool)
    assert ready_looks(answered, BANKING) == 6
    answered[192] = False  # row 193 of the order
    assert ready_looks(answered, BANKING) == 1
    answered[:] = False
    assert ready_looks(answered, BANKING) == 0


def test_a_verdict_is_latched_at_the_first_look_that_decides():
    plan = sequential_plan(BANKING)
    going_on = take_looks(plan, z_test(2.8), 2)
    assert (going_on.outcome, going_on.number) == (None, 2)  # boundaries 2.956, 2.896
    passed = take_looks(plan, z_test(2.8), 4, going_on)
    assert (passed.outcome, passed.number, passed.n_rows) == (Outcomes.PASS, 3, 385)
    assert take_looks(plan, z_test(-9.0), 6, passed) is passed
    assert [look.n_rows for look in passed.looks] == [96, 193, 385]


def test_no_look_is_taken_before_its_rows_are_there():
    def test(n_rows: int, confidence: float) -> Inference:
        raise AssertionError(n_rows)

    assert take_looks(sequential_plan(BANKING), test, 0) is None


def test_a_gate_still_open_at_the_last_row_is_undecided():
    result = take_looks(sequential_plan(BANKING), z_test(1.7), 6)  # a fixed-size test would pass
    assert (result.outcome, result.number) == (Outcomes.UNDECIDED, 6)
    assert result.inference.p_above > 0.05
    assert BIASED not in " ".join(result.inference.notes)


@pytest.mark.parametrize(("above", "outcome"), [(True, Outcomes.FAIL), (False, Outcomes.PASS)])
def test_a_claim_from_above_and_one_from_below_read_the_other_side(above, outcome):
    assert take_looks(sequential_plan(BANKING, above=above), z_test(-3.0), 6).outcome is outcome


def test_bounds_are_repeated_confidence_bounds():
    result = take_looks(sequential_plan(BANKING), z_test(3.0, value=0.03, se=0.01), 6)
    assert result.inference.low == pytest.approx(0.03 - 2.956 * 0.01, abs=1e-5)
    assert result.inference.high == pytest.approx(0.03 + 2.956 * 0.01, abs=1e-5)
    assert result.inference.notes == (f"stopped at look 1 of 6, after 96 of 3,080 rows: {BIASED}",)
    assert result.inference.method == "z, group-sequential"


def test_a_member_of_an_any_of_passes_at_its_share_and_fails_at_the_whole_level():
    plan = sequential_plan(BANKING, pass_alpha=0.05 / 10)
    assert take_looks(plan, z_test(3.0), 1).outcome is None  # 3.605 at .005
    assert take_looks(plan, z_test(-3.0), 1).outcome is Outcomes.FAIL
    low = take_looks(plan, z_test(3.0, value=0.03, se=0.01), 1).inference.low
    assert low == pytest.approx(0.03 - plan.pass_boundaries[0] * 0.01)
    assert plan.pass_boundaries[0] == pytest.approx(norm.isf(0.005 * 96 / 3080), abs=1e-6)


def test_a_look_whose_own_minimum_is_not_met_decides_nothing():
    def test(n_rows: int, confidence: float) -> Inference:
        found = z_test(5.0)(n_rows, confidence)
        return replace(found, undecided_because="few groups") if n_rows < 400 else found

    result = take_looks(sequential_plan(BANKING), test, 6)
    assert (result.outcome, result.n_rows, result.inference.undecided_because) == (Outcomes.PASS, 770, None)


def test_bounds_and_outcome_agree_for_the_tests_that_gates_use():
    rng = np.random.default_rng(5)
    plan = sequential_plan(look_schedule(400))
    for share in (0.02, 0.05, 0.1, 0.2, 0.3):
        a, b = rng.random(400) < 0.95, rng.random(400) < 0.95 - share

        def accuracy(n: int, confidence: float, a=a) -> Inference:
            return exact_proportion(int(a[:n].sum()), n, 0.92, confidence)

        def paired(n: int, confidence: float, a=a, b=b) -> Inference:
            return paired_accuracy(a[:n], b[:n], 0.05, confidence)

        for test, threshold in ((accuracy, 0.92), (paired, 0.05)):
            result = take_looks(plan, test, len(plan.schedule.rows))
            assert (result.inference.low >= threshold) == (result.outcome is Outcomes.PASS)
            assert (result.inference.high <= threshold) == (result.outcome is Outcomes.FAIL)
            assert (result.inference.p_above <= 0.05) == (result.outcome is Outcomes.PASS)


@pytest.mark.parametrize("p", [0.80, 0.90, 0.98])
@pytest.mark.parametrize("n", [385, 3080])
def test_a_proportion_errs_on_either_side_in_at_most_five_percent(n: int, p: float):
    # every path of the count of successes through the looks, enumerated at the threshold
    schedule = look_schedule(n)
    going_on, passed, failed, before = np.ones(1), 0.0, 0.0, 0
    for rows, c in zip(schedule.rows, boundaries(schedule.fractions, 0.05), strict=True):
        more = rows - before
        going_on = np.convolve(going_on, binom.pmf(np.arange(more + 1), more, p))
        over = binom.sf(np.arange(rows + 1) - 1, rows, p) <= norm.sf(c)
        under = binom.cdf(np.arange(rows + 1), rows, p) <= norm.sf(c)
        passed, failed = passed + going_on[over].sum(), failed + going_on[under].sum()
        going_on[over | under] = 0
        before = rows
    assert 0.015 < passed <= 0.05
    assert 0.015 < failed <= 0.05


def test_paired_gates_at_their_margin_err_in_five_percent():
    runs = 40_000
    found = simulations().simulate(0.08, 0.06, 0.02, 3080, runs)
    assert found.passed == pytest.approx(0.049, abs=monte_carlo(0.05, runs))
    assert found.failed == pytest.approx(0.050, abs=monte_carlo(0.05, runs))


def test_a_gap_of_two_points_is_seen_as_surely_as_at_once_and_sooner():
    runs = 40_000
    found = simulations().simulate(0.07, 0.05, 0.0, 3080, runs)
    assert found.passed == pytest.approx(0.926, abs=monte_carlo(0.926, runs))
    assert found.rows == pytest.approx(1990, rel=0.015)
    assert found.estimate_passed > 0.025  # true .020: the estimate at a stop is biased


@pytest.mark.parametrize(("margin", "calls"), [(0.0, 216), (0.02, 323), (0.05, 679)])
def test_a_gap_of_ten_points_takes_a_tenth_of_the_calls(margin: float, calls: int):
    # a linear probe (.9295) against GPT-4's recorded answers (.8305) on BANKING77: right alone on 400 and 95 rows
    found = simulations().real_orders(400, 95, margin, 3080, 2500)
    assert found.rows == pytest.approx(calls, rel=0.08)
    assert found.passed == 1.0


def test_wrong_answers_that_come_late_do_not_decide_a_gate():
    runs = 3000
    prefix, arrivals = simulations().late_wrong_answers(runs, slower=3, in_flight=32)
    assert max(prefix.passed, prefix.failed) <= 0.05 + monte_carlo(0.05, runs)
    assert arrivals.failed > 0.075  # what looking at whatever has arrived would do
    _, later = simulations().late_wrong_answers(1000, slower=8, in_flight=32)
    assert later.failed > 0.3


def test_answers_in_any_order_of_arrival_give_the_verdict_of_the_seeded_order():
    rng = np.random.default_rng(6)
    plan = sequential_plan(look_schedule(800))
    correct = rng.random(800) < 0.9

    def test(n: int, confidence: float) -> Inference:
        return exact_proportion(int(correct[:n].sum()), n, 0.85, confidence)

    at_once = take_looks(plan, test, len(plan.schedule.rows))
    answered, result = np.zeros(800, bool), None
    for row in np.argsort(np.arange(800) + 60 * ~correct + rng.random(800)):  # wrong ones 60 places late
        answered[row] = True
        result = take_looks(plan, test, ready_looks(answered, plan.schedule), result)
    assert result == at_once


def at_half(z: float) -> tuple[SequentialPlan, SequentialResult]:
    """A test of two looks, after the first, at half of the rows; a standard error of .01 there."""
    plan = sequential_plan(look_schedule(200))
    return plan, take_looks(plan, z_test(z, value=z * 0.01, se=0.01), 1)


def test_conditional_power_is_the_normal_probability_of_what_is_left():
    plan, result = at_half(0.5)
    passes, fails = conditional_power(plan, result, threshold=0.0, true_value=0.01)
    # the score z sqrt(t) is .5 sqrt(.5) now, and grows by half of .01 / (.01 sqrt(.5)), variance .5
    mean, c = 0.5 * sqrt(0.5) + 0.5 / sqrt(0.5), plan.pass_boundaries[1]
    assert passes == pytest.approx(norm.sf((c - mean) / sqrt(0.5)), abs=1e-9)
    assert fails == pytest.approx(norm.cdf((-c - mean) / sqrt(0.5)), abs=1e-9)


def test_conditional_power_counts_every_look_to_come():
    plan = sequential_plan(BANKING)
    result = take_looks(plan, z_test(0.5, value=0.005, se=0.01), 3)
    now, coming = BANKING.fractions[2], np.array(BANKING.fractions[3:])
    drift, runs = 0.02 / (0.01 * sqrt(now)), 200_000
    elapsed = np.diff(coming, prepend=now)
    moves = np.random.default_rng(7).normal(drift * elapsed, np.sqrt(elapsed), (runs, 3))
    z = (0.5 * sqrt(now) + moves.cumsum(axis=1)) / np.sqrt(coming)
    limits = np.array(plan.pass_boundaries[3:])
    passed, failed, _ = simulations().first_crossing(z, z, limits)
    passes, fails = conditional_power(plan, result, threshold=0.0, true_value=0.02)
    assert passes == pytest.approx(passed.mean(), abs=monte_carlo(passes, runs))
    assert fails == pytest.approx(failed.mean(), abs=monte_carlo(max(fails, 1e-4), runs))


def test_a_gate_is_given_up_only_if_neither_the_estimate_nor_the_plan_would_decide_it():
    plan, result = at_half(0.0)
    assert given_up(plan, result, threshold=0.0, planned_value=0.05) is None
    stopped = given_up(plan, result, threshold=0.0, planned_value=0.001)
    assert (stopped.outcome, stopped.n_rows) == (Outcomes.UNDECIDED, 100)
    assert stopped.inference.undecided_because.startswith("after 100 of 200 rows")
    near_a_verdict = at_half(1.9)[1]
    assert given_up(plan, near_a_verdict, threshold=0.0, planned_value=0.001) is None
    assert given_up(plan, take_looks(plan, z_test(5.0), 1), threshold=0.0, planned_value=0.001) is None
