"""Prices that a conftest adds come after the suite's and before the price table's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd, price_note
from pytest_modelcompare.pricing.prices import Prices, added_price, register

HAIKU, AT = "anthropic:claude-haiku-5-5", datetime(2026, 11, 1, tzinfo=UTC)
USAGE = Usage(1_000_000, 0)


@pytest.fixture
def negotiated() -> Iterator[None]:
    forget = register({HAIKU: Prices(Decimal("0.07"), Decimal("0.40"))})
    yield
    forget()


@pytest.mark.usefixtures("negotiated")
def test_a_conftests_price_replaces_the_tables():
    assert answer_cost_usd(HAIKU, USAGE, AT) == Decimal("0.07")
    assert price_note(HAIKU, AT) == "0.07/0.4 USD per million tokens in/out (a conftest's prices)"


@pytest.mark.usefixtures("negotiated")
def test_the_suites_own_price_comes_first():
    assert answer_cost_usd(HAIKU, USAGE, AT, {HAIKU: Prices(Decimal(3), Decimal(4))}) == 3


def test_prices_are_forgotten_with_the_run_that_added_them():
    register({HAIKU: Prices(Decimal(1), Decimal(1))})()
    assert added_price(HAIKU) is None


@pytest.mark.parametrize(
    ("model", "price", "said"), [("claude", "1", "no name of a model"), (HAIKU, "-1", "has a price that is none")]
)
def test_what_is_no_price_is_refused(model: str, price: str, said: str):
    with pytest.raises(GateError, match=said):
        register({model: Prices(Decimal(price), Decimal(1))})
