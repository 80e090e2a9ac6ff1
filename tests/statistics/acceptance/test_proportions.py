"""One proportion against a number: both errors by enumeration of every outcome, at every threshold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import beta, binom

from pytest_modelcompare.statistics.proportion import exact_proportion, wilson
from pytest_modelcompare.statistics.rows_needed import rows_for_proportion
from tests.statistics.acceptance.worlds import Z95

Rule = Callable[[int, int, float], tuple[bool, bool]]
"""Successes, rows and threshold to (passes, fails)."""

THRESHOLDS = np.round(np.arange(0.80, 0.9901, 0.001), 3)


def exact(successes: int, n: int, p0: float) -> tuple[bool, bool]:
    found = exact_proportion(successes, n, p0, 0.95)
    return found.p_above <= 0.05, found.p_below <= 0.05


def by_wilson(successes: int, n: int, p0: float) -> tuple[bool, bool]:
    low, high = wilson(successes, n, 0.95)
    return low >= p0, high <= p0


def by_jeffreys(successes: int, n: int, p0: float) -> tuple[bool, bool]:
    low, high = np.asarray(beta.ppf([0.05, 0.95], successes + 0.5, n - successes + 0.5))
    return bool(low >= p0), bool(high <= p0)


def by_wald(successes: int, n: int, p0: float) -> tuple[bool, bool]:
    p = successes / n
    half = Z95 * (p * (1 - p) / n) ** 0.5
    return p - half >= p0, p + half <= p0


def sizes(rule: Rule, n: int, p0: float, p: float | None = None) -> tuple[float, float]:
    """Chance to pass and to fail in per cent where the true proportion is p, by default the threshold."""
    p = p0 if p is None else p
    fewest, most = np.asarray(binom.ppf([1e-9, 1 - 1e-9], n, p)).astype(int)
    outcomes = np.arange(fewest, most + 1)
    decisions = np.array([rule(int(successes), n, p0) for successes in outcomes])
    passes, fails = 100 * binom.pmf(outcomes, n, p) @ decisions
    return float(passes), float(fails)


def worst(rule: Rule, n: int) -> tuple[float, float]:
    """The largest false-pass and false-fail rate over the thresholds .80 to .99."""
    passes, fails = zip(*(sizes(rule, n, float(p0)) for p0 in THRESHOLDS), strict=True)
    return max(passes), max(fails)


@pytest.mark.parametrize("n", [50, 100, 300, 1000, 3080])
def test_the_exact_test_errs_in_at_most_five_percent_on_either_side(n: int):
    passes, fails = worst(exact, n)
    assert 3.5 < passes <= 5.0
    assert 3.5 < fails <= 5.0


@pytest.mark.parametrize(("n", "expected"), [(50, 13.8), (100, 12.0), (300, 8.5), (1000, 6.9), (3080, 6.2)])
def test_wilsons_bound_would_fail_true_claims_too_often(n: int, expected: float):
    assert worst(by_wilson, n)[1] == pytest.approx(expected, abs=0.3)
    assert worst(by_wilson, n)[1] > 6


@pytest.mark.parametrize(("rule", "expected"), [(by_jeffreys, 14.4), (by_wald, 60)])
def test_other_approximations_would_pass_false_claims_too_often(rule: Rule, expected: float):
    assert worst(rule, 50)[0] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("p0", "p1"), [(0.93, 0.94), (0.90, 0.92)])
def test_the_rows_asked_for_give_eighty_percent_power(p0: float, p1: float):
    assert sizes(exact, int(rows_for_proportion(p0, p1)), p0, p1)[0] == pytest.approx(80, abs=3)
