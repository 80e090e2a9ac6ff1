"""The power of gates on metrics that a project added: as means over rows at the ends of their range."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import pytest
from scipy.stats import norm

from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.power import power_of_gate
from pytest_modelcompare.gates.power_facts import GatePower, PlanFacts
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.metrics.own import OwnMetric, register

ROWS = PlanFacts(3080, {"ham": 2000, "spam": 1080})


@pytest.fixture(autouse=True)
def metrics() -> Iterator[None]:
    forgets = [
        register(OwnMetric("damage_usd", "", lambda rows: 0.0, 0.0, 12.0, higher_is_better=False, unit="USD")),
        register(OwnMetric("profit_usd", "", lambda rows: 0.0, 0.0, float("inf"), unit="USD")),
        register(OwnMetric("kappa", "", lambda rows: 0.0, -1.0, 1.0)),
    ]
    yield
    for forget in forgets:
        forget()


def planned(sentence: str, facts: PlanFacts = ROWS, expect: float | None = None) -> GatePower:
    return power_of_gate(GateSpec(sentence, (parse(sentence),), expect=expect), facts, 0.95)


def test_a_figure_is_a_share_of_its_range():
    # 0.10 of 12 USD is 1/120, 0.05 is 1/240: 1.6449 sqrt(p (1 - p)) at 1/120 against the distance 1/240
    found = planned("a.damage_usd <= 0.10", expect=0.05)
    limit, true = 1 / 120, 1 / 240
    reached = sqrt(3080) * (limit - true) - norm.ppf(0.95) * sqrt(limit * (1 - limit))
    assert found.power == pytest.approx(norm.cdf(reached / sqrt(true * (1 - true))))
    assert "as if each row had damage_usd 0 or 12" in found.assumption


def test_a_range_that_starts_below_zero_is_moved():
    # kappa .8 and .84 of -1 to 1 are shares of .90 and .92
    found = planned("a.kappa >= 0.8", expect=0.84)
    reached = sqrt(3080) * 0.02 - norm.ppf(0.95) * sqrt(0.9 * 0.1)
    assert found.power == pytest.approx(norm.cdf(reached / sqrt(0.92 * 0.08)))


def test_a_difference_is_paired_and_its_true_value_said_in_the_metrics_unit():
    # 0.24 of 12 USD is .02: as `a beats b on accuracy by 0.02`
    found = planned("a beats b on damage_usd by 0.24", expect=0.48)
    assert found.power == planned("a beats b on accuracy by 0.02", expect=0.04).power
    assert "+0.48 USD" in found.assumption


def test_without_expect_it_says_the_value_that_80_per_cent_takes():
    assert "80 % power needs a true damage_usd of at most 0.0" in planned("a.damage_usd <= 0.10").assumption


def test_a_range_without_end_is_not_planned():
    assert planned("a.profit_usd >= 3").assumption == (
        "not planned: profit_usd has no range that would bound how much it varies: give it `low` and `high`"
    )


def test_under_a_hundred_rows_it_can_never_pass():
    found = planned("a.damage_usd <= 0.10", PlanFacts(99, {"ham": 50, "spam": 49}))
    assert found.power == 0
    assert found.warning == "can never pass: 99 rows are too few for an interval of damage_usd: it takes 100"
