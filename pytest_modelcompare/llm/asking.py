"""Many requests in flight; each answer is stored the moment it arrives, none is sent that could break the budget."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from pytest_modelcompare.errors import BudgetError, ModelCompareError
from pytest_modelcompare.llm.pace import Retries
from pytest_modelcompare.llm.prompts import Request
from pytest_modelcompare.llm.provider import Answer, GrammarTooLarge, Provider
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.pricing.price_list import PriceTable, Usage, answer_cost_usd


class Journal(Protocol):
    """Where answers are kept."""

    def put(self, key: str, record: dict[str, object]) -> None: ...


@dataclass(slots=True)
class Asker:
    """Asks for what is missing."""

    provider: Provider
    journal: Journal
    session: str
    budget_usd: float
    prices: PriceTable | None
    in_flight: int = 32
    retries: Retries = field(default_factory=Retries)
    spent_usd: float = 0.0
    reserved_usd: float = 0.0
    calls: int = 0

    def ask(self, requests: Sequence[Request], tell: Callable[[int], None]) -> list[Reply]:
        """Replies in the order of the requests.

        Args:
            tell: called with the number of replies so far.

        Raises:
            BudgetError: the next request could exceed the budget; answers so far are stored.
            LLMError: the service refused for good, or too often.
            GrammarTooLarge: the menu has too many labels for the service.
        """
        return asyncio.run(self.ask_all(requests, tell))

    async def ask_all(self, requests: Sequence[Request], tell: Callable[[int], None]) -> list[Reply]:
        """The first failure stops the rest from being sent; what is in flight may still arrive and is stored."""
        replies: list[Reply | None] = [None] * len(requests)
        waiting = iter(range(len(requests)))
        stopped: list[BaseException] = []
        done = 0

        async def worker() -> None:
            nonlocal done
            for index in waiting:
                if stopped:
                    return
                try:
                    replies[index] = await self.ask_one(requests[index])
                except (ModelCompareError, GrammarTooLarge) as error:
                    stopped.append(error)
                    return
                done += 1
                tell(done)

        try:
            await asyncio.gather(*(worker() for _ in range(min(self.in_flight, len(requests)))))
        finally:
            await self.provider.close()
        if stopped:
            raise stopped[0]
        return [reply for reply in replies if reply is not None]

    async def ask_one(self, request: Request) -> Reply:
        """One request with its retries; its worst price is reserved while it is under way."""
        worst = self.worst_price(request)
        if self.spent_usd + self.reserved_usd + worst > self.budget_usd:
            raise BudgetError(
                f"the next request could exceed the budget of {self.budget_usd:.2f} USD ({self.spent_usd:.4f} spent)",
                fix="raise it and run again: the answers so far are stored and are not asked again",
            )
        self.reserved_usd += worst
        try:
            timed, retries = await self.retries.run(lambda: self.timed(request))
        finally:
            self.reserved_usd -= worst
        answer, latency_ms = timed
        now = datetime.now(UTC)
        reply = Reply(answer.text, answer.stop_reason, answer.usage, latency_ms, now.isoformat(), self.session, retries)
        self.journal.put(request.key(), reply.as_record(provider=request.provider, model=request.model))
        self.spent_usd += float(answer_cost_usd(f"{request.provider}:{request.model}", answer.usage, now, self.prices))
        return reply

    async def timed(self, request: Request) -> tuple[Answer, float]:
        self.calls += 1
        started = time.perf_counter()
        answer = await self.provider.ask(request)
        return answer, (time.perf_counter() - started) * 1_000

    def worst_price(self, request: Request) -> float:
        """USD that this request cannot exceed."""
        return price_of(request, self.prices, request.most_input_tokens(), request.max_output_tokens)


def price_of(request: Request, prices: PriceTable | None, input_tokens: int, output_tokens: int) -> float:
    """USD of one request with so many tokens."""
    usage = Usage(input_tokens, output_tokens)
    return float(answer_cost_usd(f"{request.provider}:{request.model}", usage, datetime.now(UTC), prices))
