"""The difference of two accuracies against a margin: both errors by enumeration of every trinomial outcome."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from scipy.stats import binom

from pytest_modelcompare.statistics.paired import exact_unconditional_p, tango_z
from pytest_modelcompare.statistics.rows_needed import rows_for_paired
from tests.statistics.acceptance.worlds import Z95

Rejects = Callable[[int, int], bool]
"""Whether b rows right for A alone and c for B alone show that A is better by more than the margin."""

MARGINS = [-0.02, -0.01, 0.0, 0.02, 0.05]


def fewest_b(total: int, rejects: Rejects) -> int:
    """The fewest of `total` discordant rows that A must win; total + 1 where all are too few.

    Evidence for A grows with b at a fixed total, so the rejection region is known by its edge.
    """
    low, high = 0, total + 1
    while low < high:
        middle = (low + high) // 2
        if rejects(middle, total - middle):
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=64)
def exact_edge(n: int, margin: float) -> tuple[int, ...]:
    return tuple(fewest_b(t, lambda b, c: exact_unconditional_p(b, c, n, margin) <= 0.05) for t in range(n + 1))


@lru_cache(maxsize=64)
def tango_edge(n: int, margin: float) -> tuple[int, ...]:
    return tuple(fewest_b(t, lambda b, c: tango_z(b, c, n, margin) >= Z95) for t in range(n + 1))


def mcnemar_and_margin_edge(n: int, margin: float) -> tuple[int, ...]:
    """What `beats by` must not be: McNemar at margin 0, and a look at the estimate."""
    return tuple(
        fewest_b(t, lambda b, c: b - c >= margin * n and binom.sf(b - 1, b + c, 0.5) <= 0.05) for t in range(n + 1)
    )


def rejection_rate(edge: tuple[int, ...], psi: float, difference: float) -> float:
    """Chance in per cent to reject where a share psi of rows is discordant and A is better by `difference`."""
    n = len(edge) - 1
    totals = np.arange(n + 1)
    a_wins = (psi + difference) / (2 * psi)
    return float(100 * binom.pmf(totals, n, psi) @ binom.sf(np.array(edge) - 1, totals, a_wins))


def size(edge: tuple[int, ...], margin: float) -> float:
    """The largest rejection rate where A is better by exactly the margin, over every discordance."""
    least = max(abs(margin), 1e-4)
    grid = np.concatenate([np.linspace(least, least + 0.05, 101), np.linspace(least + 0.05, 1, 200)])
    return max(rejection_rate(edge, float(psi), margin) for psi in grid)


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("n", [50, 100, 200, pytest.param(300, marks=pytest.mark.slow)])
def test_the_exact_test_errs_in_at_most_five_percent_whatever_the_discordance(n: int, margin: float):
    assert 2.5 < size(exact_edge(n, margin), margin) <= 5.0


def test_tangos_statistic_alone_does_not_hold_five_percent_at_300_rows():
    assert size(tango_edge(300, 0.02), 0.02) == pytest.approx(8.2, abs=0.1)


def test_tangos_statistic_holds_five_percent_at_3080_rows_on_both_sides():
    # to fail wrongly is to reject "B is better than A by more than -.02" for the sides exchanged
    assert rejection_rate(tango_edge(3080, 0.02), 0.10, 0.02) == pytest.approx(5.0, abs=0.15)
    assert rejection_rate(tango_edge(3080, -0.02), 0.10, -0.02) == pytest.approx(5.0, abs=0.15)


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.05])
def test_tangos_statistic_stays_under_six_percent_beyond_a_thousand_rows(margin: float):
    # every n > 1,000 is tested by it
    assert size(tango_edge(1001, margin), margin) <= 6


def test_mcnemar_and_an_observed_margin_would_pass_half_of_the_false_claims():
    assert rejection_rate(mcnemar_and_margin_edge(3080, 0.02), 0.10, 0.02) == pytest.approx(50, abs=0.5)


def test_the_rows_asked_for_give_eighty_percent_power():
    n = int(rows_for_paired(0.10, 0.0, 0.02))
    assert n == 1544
    assert rejection_rate(tango_edge(n, 0.0), 0.10, 0.02) == pytest.approx(80, abs=1)
