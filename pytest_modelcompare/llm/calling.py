"""Many requests in flight: paced, paid from a purse, retried, timed, stored when answered."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from pytest_modelcompare.errors import LLMError, ModelCompareError
from pytest_modelcompare.llm.caching import marked, shared_prefixes
from pytest_modelcompare.llm.pace import TOO_FAST, Pace, Size
from pytest_modelcompare.llm.provider import Answer, GrammarTooLarge, Provider, Transient, Uncounted
from pytest_modelcompare.llm.purse import Purse
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.retries import Halted, Retries, Work
from pytest_modelcompare.store.index import ESTIMATED


class Journal(Protocol):
    """Where answers are kept."""

    def get(self, key: str) -> dict[str, Any] | None: ...

    def put(self, key: str, record: dict[str, Any]) -> None: ...


def unnoted(usd: float) -> None:  # as `Caller.paid`
    """Where nobody keeps books."""


@dataclass(slots=True)
class Caller:
    """Calls one service, for one contestant."""

    provider: Provider
    journal: Journal
    session: str
    purse: Purse
    retries: Retries = field(default_factory=Retries)
    pace: Pace = field(default_factory=Pace)
    calls: int = 0
    """Requests that went to the service."""

    answers: int = 0
    """Those that were kept."""

    paid: Callable[[float], None] = unnoted
    """Told the USD of every answer the moment it is kept: the session's other processes count on it, and who is killed
    has no other moment."""

    heard: bool = False
    """Whether anything came back from there."""

    address: str | None = None
    """Where the service really is, without user, password and query; None: at its own address."""

    work: Work | None = None
    """What it is asked for; once that is halted, nothing more is sent."""

    async def ask_one(self, request: Request) -> Reply:
        """One request with its retries; its worst price is reserved while it is under way."""
        worst = self.purse.worst_price(request)
        async with self.purse.reserved(worst, self.go_on):
            (answer, latency_ms), tried = await self.patient().run(lambda: self.timed(request, worst))
        reply = self.reply(answer, latency_ms, datetime.now(UTC), tried)
        self.keep(request.key(), request, reply)
        return reply

    def reply(self, answer: Answer, latency_ms: float, at: datetime, retries: int = 0) -> Reply:
        """An answer of this session."""
        return Reply(answer.text, answer.stop_reason, answer.usage, latency_ms, at.isoformat(), self.session, retries)

    def keep(self, key: str, request: Request, reply: Reply, *, is_asked: bool = True) -> None:
        """Store a reply and count what it cost.

        Args:
            request: the one that was answered.
            is_asked: False: only its key is known, and `request` is another one to the same model.
        """
        facts: dict[str, Any] = {} if self.address is None else {"address": self.address}
        if is_asked:
            facts[ESTIMATED] = request.input_tokens_estimate()
        try:
            self.journal.put(key, reply.as_record(provider=request.provider, model=request.model, **facts))
        finally:  # it was billed, whether or not the disk takes it
            self.answers += 1
            self.paid(self.purse.pay(f"{request.provider}:{request.model}", reply))

    async def timed(self, request: Request, worst: float) -> tuple[Answer, float]:
        """One attempt, when its turn has come, with the time it took."""
        size = Size(request.input_tokens_estimate(), request.max_output_tokens)
        let_go = await self.pace.enter(size)
        try:
            self.go_on()
            if self.purse.committed_usd > self.purse.budget_usd:
                raise self.purse.over_budget()
            self.calls += 1
            started = time.perf_counter()
            answer = await self.provider.ask(request)
        except BaseException as error:
            if perhaps_billed(error):
                self.purse.lose_sight_of(worst)
            self.pace.leave(let_go, size)
            if isinstance(error, Transient):
                self.calls -= error.unreached is not None
                self.heard = self.heard or error.unreached is None
                self.learn_from(error, let_go)
            raise
        self.heard = True
        latency_ms = (time.perf_counter() - started) * 1_000
        self.pace.leave(let_go, size)
        self.pace.answered(answer.headers, let_go)
        return answer, latency_ms

    def learn_from(self, error: Transient, let_go: float) -> None:
        """What a response without an answer says of the service's limits."""
        if error.status in TOO_FAST:
            self.pace.turned_away(error.headers, let_go, error.retry_after_s)
        else:
            self.pace.answered(error.headers, let_go)

    def patient(self) -> Retries:
        """Retries whose waits end where nothing more is to be sent."""
        return replace(self.retries, sleep=self.patience, heard=lambda: self.heard)

    async def patience(self, seconds: float) -> None:
        """Sleep, unless nothing more is to be sent.

        Raises:
            Halted: so it is.
        """
        assert self.work is not None
        sleeper = asyncio.ensure_future(self.retries.sleep(seconds))
        halted = asyncio.ensure_future(self.work.halted.wait())
        try:
            await asyncio.wait({sleeper, halted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            halted.cancel()
        self.go_on()

    def go_on(self) -> None:
        """Raises Halted where nothing more is to be sent."""
        if self.work is not None and self.work.halted.is_set():
            raise Halted


def perhaps_billed(error: BaseException) -> bool:
    """Whether a request that ended so may have been answered, and billed, without our knowing what it cost.

    A refusal in the service's own words costs nothing. Of what was cut off while it was under way (the session was
    stopped), or broke a provider's client, nobody knows.
    """
    if isinstance(error, Transient):
        return error.sent
    refused = isinstance(error, Halted | GrammarTooLarge | ModelCompareError)
    return isinstance(error, Uncounted) or not refused


GRACE_S = 3.0
"""How long answers in flight may still arrive after an interrupt."""


class Batching(Protocol):
    """Answers that come in batches; what they leave out is asked singly."""

    async def fill(self, caller: Caller, work: Work) -> None: ...


@dataclass(slots=True)
class Asker(Caller):
    """Asks for what is missing."""

    in_flight: int = 32
    stop: threading.Event = field(default_factory=threading.Event)
    """Set from another thread to ask no more."""

    batching: Batching | None = None

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
        work = self.work = Work(requests, tell)
        self.pace.sleep = self.patience
        parts = asyncio.create_task(self.in_parts(work))
        watch = asyncio.create_task(self.stop_when_told(work, parts))
        try:
            await asyncio.gather(parts, return_exceptions=True)
        finally:
            watch.cancel()
            await self.provider.close()
        if work.failures:
            raise work.failures[0]
        if not parts.cancelled() and (error := parts.exception()) is not None and not isinstance(error, Halted):
            raise error
        if work.missing():
            done = len(work.replies)
            raise LLMError(
                f"interrupted after {done:,} of {len(requests):,} answers",
                fix="run again: they are stored, and batches under way are collected then",
            )
        return [work.replies[index] for index in range(len(requests))]

    async def in_parts(self, work: Work) -> None:
        """Batches first; of the rest, one request of each prefix to fill the service's cache, then all others."""
        if self.batching is not None:
            await self.batching.fill(self, work)
        missing = work.missing()
        shared = shared_prefixes([work.requests[index] for index in missing])
        for index, request in zip(missing, marked([work.requests[i] for i in missing], shared), strict=True):
            work.requests[index] = request
        warm = [missing[prefix.requests[0]] for prefix in shared]
        await self.singly(work, warm)
        await self.singly(work, [index for index in missing if index not in set(warm)])

    async def singly(self, work: Work, indices: Sequence[int]) -> None:
        """Many at once, each on its own."""
        waiting = iter(indices)

        async def worker() -> None:
            for index in waiting:
                if work.halted.is_set():
                    return
                try:
                    work.note(index, await self.ask_one(work.requests[index]))
                except Halted:
                    return
                except (ModelCompareError, GrammarTooLarge) as error:
                    work.fail(error)
                    return
                except asyncio.CancelledError:
                    raise
                except BaseException as error:
                    work.fail(error)  # whatever it is, nothing more is asked
                    raise

        count = min(self.in_flight, len(indices))
        await asyncio.gather(*(worker() for _ in range(count)), return_exceptions=True)

    async def stop_when_told(self, work: Work, parts: asyncio.Task[None]) -> None:
        """After a stop, what is in flight gets a moment to arrive; then it is given up."""
        while not self.stop.is_set():
            await asyncio.sleep(0.1)
        work.halted.set()
        await asyncio.sleep(GRACE_S)
        parts.cancel()
