"""Prices request by request, on usage as the service reports it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.pricing.answers import answers_cost
from pytest_modelcompare.pricing.compute import compute_cost, train_cost_usd
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd, price_note
from pytest_modelcompare.pricing.prices import Prices
from pytest_modelcompare.records import Throughput

HAIKU = "anthropic:claude-haiku-5-5"
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(1_000_00, 0), "0.01"),  # 100,000 x 0.10 per million
        (Usage(2_000, 1_000), "0.0007"),  # 2,000 x 0.10 + 1,000 x 0.50
        (Usage(200_000, 1_000), "0.1025"),  # above 100,000 the whole request costs five times as much
        (
            Usage(1_000, 10, cache_read_tokens=5_000, cache_write_tokens=2_000),
            "0.000405",
        ),  # .1 + .05 + .25 + .005, in thousandths
        (Usage(2_000, 1_000, batch=True), "0.00035"),  # half
    ],
)
def test_a_request_costs_what_the_table_says(usage: Usage, usd: str):
    assert answer_cost_usd(HAIKU, usage, AT) == Decimal(usd)


def test_requests_are_priced_one_by_one_not_by_their_sum():
    cost = answers_cost([Usage(60_000, 0)] * 2, [AT] * 2, HAIKU)
    assert cost.usd_per_row.sum() == pytest.approx(0.012)
    assert answer_cost_usd(HAIKU, Usage(120_000, 0), AT) == Decimal("0.06")


def test_an_unknown_model_is_an_error_that_shows_how_to_give_its_price():
    with pytest.raises(GateError, match=r'prices: \{"anthropic:nobody": \{input'):
        answer_cost_usd("anthropic:nobody", Usage(1, 1), AT)


def test_the_suites_own_price_comes_first():
    own = {HAIKU: Prices(Decimal(1), Decimal(2))}
    assert answer_cost_usd(HAIKU, Usage(1_000_000, 500_000), AT, own) == 2
    assert "the suite's" in price_note(HAIKU, AT, own)


def test_answers_without_tokens_have_no_cost():
    with pytest.raises(GateError, match="1 of 2 answers"):
        answers_cost([Usage(1, 1), None], [AT] * 2, HAIKU)


def test_a_machine_that_idles_half_the_time_costs_double():
    speed = Throughput(np.array([100.0, 200.0]), 20.0, 32, "a CPU", "s")
    # 3.60 USD per hour is 0.001 per second, 0.002 at half use
    assert compute_cost(speed, 3.60, 0.5).usd_per_row == pytest.approx([0.002 / 100, 0.002 / 200])
    assert train_cost_usd(100, 3.60, 0.5) == pytest.approx(0.2)
