"""Exact proportions: bounds and p-values are one procedure, and their size is held by enumeration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from pytest_modelcompare.statistics.f_measure import exact_f1
from pytest_modelcompare.statistics.proportion import clopper_pearson, clustered_proportion, exact_proportion, wilson


def test_bounds_are_those_of_scipy():
    interval = binomtest(93, 100).proportion_ci(0.90, "exact")
    assert clopper_pearson(93, 100, 0.95) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("successes", [0, 1, 50, 99, 100])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.95, 1.0])
def test_p_values_are_the_binomial_tests(successes: int, threshold: float):
    found = exact_proportion(successes, 100, threshold, 0.95)
    assert found.p_above == pytest.approx(binomtest(successes, 100, threshold, "greater").pvalue)
    assert found.p_below == pytest.approx(binomtest(successes, 100, threshold, "less").pvalue)


def sizes(n: int, p0: float, decide) -> tuple[float, float]:
    """Chance of a false pass and of a false fail where the true proportion is the threshold, by enumeration."""
    weights = binom.pmf(np.arange(n + 1), n, p0)
    passed, failed = zip(*(decide(successes) for successes in range(n + 1)), strict=True)
    return float(weights[np.array(passed)].sum()), float(weights[np.array(failed)].sum())


@pytest.mark.parametrize("n", [50, 300, 1000])
@pytest.mark.parametrize("p0", [0.80, 0.90, 0.95, 0.99])
def test_neither_error_exceeds_five_percent(n: int, p0: float):
    def decide(successes: int) -> tuple[bool, bool]:
        found = exact_proportion(successes, n, p0, 0.95)
        return found.p_above <= 0.05, found.p_below <= 0.05

    assert max(sizes(n, p0, decide)) <= 0.05


def test_wilson_would_not_hold_them():
    def decide(successes: int) -> tuple[bool, bool]:
        low, high = wilson(successes, 50, 0.95)
        return low >= p0, high <= p0

    worst = 0.0
    for p0 in np.arange(0.80, 0.995, 0.005):
        worst = max(worst, sizes(50, p0, decide)[1])
    assert worst > 0.09


def test_f1_is_tested_on_the_rows_of_the_class():
    # STATISTICS: with 44 relevant rows `f1 >= .85` needs 38 true positives
    assert exact_f1(38, 3, 3, 0.85, 0.95).p_above <= 0.05
    assert exact_f1(37, 3, 4, 0.85, 0.95).p_above > 0.05


def test_nothing_to_count_is_undecided():
    assert exact_f1(0, 0, 0, 0.5, 0.95).undecided_because is not None


def test_equal_rows_in_a_cluster_count_once():
    # 20 clusters of 10 equal rows, 18 of them right: about as sure as 18 of 20
    correct = np.repeat(np.arange(20) < 18, 10)
    clustered = clustered_proportion(correct, np.repeat(np.arange(20), 10), 0.8, 0.95)
    assert clustered.low == pytest.approx(clopper_pearson(18, 20, 0.95)[0], abs=0.03)
    assert clustered.low < clopper_pearson(180, 200, 0.95)[0] - 0.05


def test_four_clusters_decide_nothing():
    correct = np.ones(100, bool)
    correct[:3] = False
    assert clustered_proportion(correct, np.arange(100) // 25, 0.5, 0.95).undecided_because is not None
