"""Prices of awkward requests: caches of both lives, tiers that cached tokens reach, counts that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd, price_note
from pytest_modelcompare.pricing.prices import Prices

HAIKU = "anthropic:claude-haiku-5-5"
AT = datetime(2026, 11, 1, tzinfo=UTC)


def test_the_hour_long_cache_costs_twice_the_input():
    # 1,000 x 0.10 + 1,000 x 0.20 per million
    assert answer_cost_usd(HAIKU, Usage(1_000, 0, cache_write_1h_tokens=1_000), AT) == Decimal("0.0003")


def test_cached_tokens_count_towards_the_tier():
    # 95,000 x 0.50 + 10,000 x 0.05 per million: 105,000 tokens went in
    assert answer_cost_usd(HAIKU, Usage(95_000, 0, cache_read_tokens=10_000), AT) == Decimal("0.048")


def test_claude_3_opus_costs_fifteen_and_seventy_five():
    assert answer_cost_usd("anthropic:claude-3-opus-20240229", Usage(1_000, 1_000), AT) == Decimal("0.09")


def test_the_note_states_the_price_of_a_million():
    assert price_note(HAIKU, AT) == "0.1/0.5 USD per million tokens in/out (genai-prices, 2026-11-01)"


def test_the_suites_cache_prices_are_used_and_default_to_its_input_price():
    usage = Usage(0, 0, cache_read_tokens=1_000_000, cache_write_tokens=1_000_000)
    given = Prices(Decimal(4), Decimal(20), cache_read=Decimal("0.4"), cache_write=Decimal(5))
    assert answer_cost_usd("mine:m", usage, AT, {"mine:m": given}) == Decimal("5.4")
    assert answer_cost_usd("mine:m", usage, AT, {"mine:m": Prices(Decimal(4), Decimal(20))}) == 8


@pytest.mark.parametrize("prices", [None, {HAIKU: Prices(Decimal(1), Decimal(1))}])
def test_a_negative_count_is_an_error_and_never_a_rebate(prices):
    with pytest.raises(GateError, match="negative count of tokens"):
        answer_cost_usd(HAIKU, Usage(-1, 0), AT, prices)


@pytest.mark.parametrize("model", ["nobody:anything", "gpt-4", "anthropic:claude-haiku-5-5-turbo"])
def test_a_name_that_nearly_fits_is_unknown_all_the_same(model: str):
    with pytest.raises(GateError, match="no price is known"):
        answer_cost_usd(model, Usage(1, 1), AT)
