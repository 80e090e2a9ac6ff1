"""Many requests in flight; each answer is stored the moment it arrives, none is sent that could break the budget."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from pytest_modelcompare.errors import BudgetError, LLMError, ModelCompareError
from pytest_modelcompare.llm.pace import Retries
from pytest_modelcompare.llm.prompts import Request
from pytest_modelcompare.llm.provider import Answer, GrammarTooLarge, Provider, Transient
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.pricing.price_list import PriceTable, Usage, answer_cost_usd


class Journal(Protocol):
    """Where answers are kept."""

    def put(self, key: str, record: dict[str, object]) -> None: ...


GRACE_S = 3.0
"""How long answers in flight may still arrive after an interrupt."""


class Work:
    """What several workers share."""

    def __init__(self, requests: list[Request], tell: Callable[[int], None]) -> None:
        self.requests = requests
        self.waiting = iter(range(len(requests)))
        self.replies: dict[int, Reply] = {}
        self.failures: list[BaseException] = []
        self.done = 0
        self.tell = tell


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
    stop: threading.Event = field(default_factory=threading.Event)
    """Set from another thread to ask no more."""

    spent_usd: float = 0.0
    reserved_usd: float = 0.0
    unheard_usd: float = 0.0
    under_way: int = 0
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
        """The first failure, or a stop, keeps the rest from being sent; what is in flight may arrive and is stored."""
        work = Work(list(requests), tell)
        workers = [asyncio.create_task(self.worker(work)) for _ in range(min(self.in_flight, len(requests)))]
        watch = asyncio.create_task(self.stop_when_told(workers))
        try:
            await asyncio.gather(*workers, return_exceptions=True)
        finally:
            watch.cancel()
            await self.provider.close()
        if work.failures:
            raise work.failures[0]
        for task in workers:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if work.done < len(requests):
            raise LLMError(
                f"interrupted after {work.done:,} of {len(requests):,} answers", fix="run again: they are stored"
            )
        return [work.replies[index] for index in range(len(requests))]

    async def worker(self, work: Work) -> None:
        """Take one request after the other until there is none, or a reason to stop."""
        for index in work.waiting:
            if work.failures or self.stop.is_set():
                return
            try:
                work.replies[index] = await self.ask_one(work.requests[index])
            except (ModelCompareError, GrammarTooLarge) as error:
                work.failures.append(error)
                return
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                work.failures.append(error)  # whatever it is, nothing more is asked
                raise
            work.done += 1
            work.tell(work.done)

    async def stop_when_told(self, workers: Sequence[asyncio.Task[None]]) -> None:
        """After a stop, what is in flight gets a moment to arrive; then it is given up."""
        while not self.stop.is_set():
            await asyncio.sleep(0.1)
        await asyncio.sleep(GRACE_S)
        for task in workers:
            task.cancel()

    async def ask_one(self, request: Request) -> Reply:
        """One request with its retries; its worst price is reserved while it is under way."""
        worst = self.worst_price(request)
        while self.committed_usd + worst > self.budget_usd:
            if self.under_way == 0:
                raise self.over_budget()
            await asyncio.sleep(0.02)  # what is under way costs less than its reserve; see what is left then
        self.reserved_usd += worst
        self.under_way += 1
        try:
            timed, retries = await self.retries.run(lambda: self.timed(request, worst))
        finally:
            self.reserved_usd -= worst
            self.under_way -= 1
        answer, latency_ms = timed
        now = datetime.now(UTC)
        reply = Reply(answer.text, answer.stop_reason, answer.usage, latency_ms, now.isoformat(), self.session, retries)
        self.journal.put(request.key(), reply.as_record(provider=request.provider, model=request.model))
        self.spent_usd += float(answer_cost_usd(f"{request.provider}:{request.model}", answer.usage, now, self.prices))
        return reply

    @property
    def committed_usd(self) -> float:
        """What is spent, under way, or may have been billed without our hearing of it."""
        return self.spent_usd + self.reserved_usd + self.unheard_usd

    def over_budget(self) -> BudgetError:
        return BudgetError(
            f"the next request could exceed the budget of {self.budget_usd:.2f} USD ({self.spent_usd:.4f} spent"
            + (f", {self.unheard_usd:.4f} perhaps for requests that were cut off)" if self.unheard_usd else ")"),
            fix="raise it and run again: the answers so far are stored and are not asked again",
        )

    async def timed(self, request: Request, worst: float) -> tuple[Answer, float]:
        if self.committed_usd > self.budget_usd:
            raise self.over_budget()
        self.calls += 1
        started = time.perf_counter()
        try:
            answer = await self.provider.ask(request)
        except Transient as error:
            self.unheard_usd += worst if error.sent else 0.0
            raise
        return answer, (time.perf_counter() - started) * 1_000

    def worst_price(self, request: Request) -> float:
        """USD that this request cannot exceed."""
        return price_of(request, self.prices, request.most_input_tokens(), request.max_output_tokens)


def price_of(request: Request, prices: PriceTable | None, input_tokens: int, output_tokens: int) -> float:
    """USD of one request with so many tokens."""
    usage = Usage(input_tokens, output_tokens)
    return float(answer_cost_usd(f"{request.provider}:{request.model}", usage, datetime.now(UTC), prices))
