"""What may be spent: nothing is sent that could exceed it, whatever of what is under way turns out to cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_modelcompare.errors import BudgetError
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.pricing.dollars import usd
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd, priced_tier
from pytest_modelcompare.pricing.prices import PriceTable

ROUNDED_UP_TO = 64
"""Tokens: bounds of requests that are alike have one price, which is looked up once."""

LOOK_AGAIN_S = 0.02


@dataclass(slots=True)
class Purse:
    """A budget while it is used. All amounts in USD."""

    budget_usd: float
    prices: PriceTable | None = None
    spent_usd: float = 0.0
    reserved_usd: float = 0.0
    """The worst price of what is under way."""

    unheard_usd: float = 0.0
    """The worst price of what was sent without an answer that says what it took: it may have been billed."""

    unheard: int = 0
    """How many requests these are."""

    under_way: int = 0
    """Single requests that hold a reserve."""

    @property
    def committed_usd(self) -> float:
        """What is spent, under way, or may have been billed without our hearing of it."""
        return self.spent_usd + self.reserved_usd + self.unheard_usd

    @asynccontextmanager
    async def reserved(self, worst_usd: float, go_on: Callable[[], None]) -> AsyncIterator[None]:
        """Hold a request's worst price while it is under way; wait for others where it does not fit yet.

        Args:
            go_on: called while waiting; raises where nothing more is to be sent.

        Raises:
            BudgetError: it does not fit, and nothing under way can give anything back.
        """
        while self.committed_usd + worst_usd > self.budget_usd:
            if self.under_way == 0:
                raise self.over_budget()
            await asyncio.sleep(LOOK_AGAIN_S)  # what is under way costs less than its reserve
            go_on()
        self.reserved_usd += worst_usd
        self.under_way += 1
        try:
            yield
        finally:
            self.reserved_usd -= worst_usd
            self.under_way -= 1

    def pay(self, model: str, reply: Reply) -> float:
        """Count what a reply cost.

        Args:
            model: PROVIDER:MODEL.

        Returns:
            USD.
        """
        cost = float(answer_cost_usd(model, reply.usage, reply.date, self.prices))
        self.spent_usd += cost
        return cost

    def lose_sight_of(self, worst_usd: float, requests: int = 1) -> None:
        """Requests were sent, and what became of them is not known."""
        self.unheard_usd += worst_usd
        self.unheard += requests

    def over_budget(self) -> BudgetError:
        return BudgetError(
            f"the next request could exceed the budget of {usd(self.budget_usd)} USD ({usd(self.spent_usd)} spent"
            + (
                f", {usd(self.unheard_usd)} perhaps for requests whose answer was not heard)"
                if self.unheard_usd
                else ")"
            ),
            fix="raise it and run again: the answers so far are stored and are not asked again",
        )

    def worst_price(self, request: Request, *, batch: bool = False) -> float:
        """USD that this request cannot exceed."""
        most = -(-request.most_input_tokens() // ROUNDED_UP_TO) * ROUNDED_UP_TO
        tier = priced_tier(request.service_tier)
        plain = price_of(request, self.prices, Usage(most, request.max_output_tokens, batch=batch, tier=tier))
        if request.cached_turns is None:
            return plain
        written = Usage(0, request.max_output_tokens, cache_write_tokens=most, tier=tier)
        return max(plain, price_of(request, self.prices, written))


def price_of(request: Request, prices: PriceTable | None, usage: Usage) -> float:
    """USD of one request with so many tokens."""
    return float(answer_cost_usd(f"{request.provider}:{request.model}", usage, datetime.now(UTC), prices))
