"""Answers at half price, within a day: requests go to the service in batches, whose ids outlive this process."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.calling import Caller
from pytest_modelcompare.llm.provider import (
    BatchBook,
    BatchService,
    Ended,
    Transient,
    Unanswered,
    UnknownBatch,
)
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.retries import Work
from pytest_modelcompare.store.batches import KEY_START

MOST_REQUESTS = 100_000


MOST_BYTES = 256_000_000
"""Of one batch. Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing#batch-limitations"""


@dataclass(slots=True)
class BatchSender:
    """Sends batches, each known to the book before it is sent."""

    service: BatchService
    book: BatchBook
    name: str
    """As `service_name` gives it."""

    submit: bool = True
    """False: only take what earlier sessions' batches have ready."""

    most_requests: int = MOST_REQUESTS
    most_bytes: int = MOST_BYTES

    def part(self, caller: Caller, work: Work, left: Sequence[int]) -> list[int]:
        """From the front, what fits one batch and what may still be spent."""
        part: list[int] = []
        worst, size = 0.0, 0
        for index in left:
            request = work.requests[index]
            price, added = caller.purse.worst_price(request, batch=True), self.service.batch_bytes(request)
            dear = caller.purse.committed_usd + worst + price > caller.purse.budget_usd
            if dear or len(part) == self.most_requests or (part and size + added > self.most_bytes):
                break
            worst, size = worst + price, size + added
            part.append(index)
        return part

    async def create(self, caller: Caller, requests: Sequence[Request]) -> str:
        """Send one batch. Where the service may have taken it unheard, look for it before sending it again."""
        started, unsure = datetime.now(UTC), False
        keys = [request.key() for request in requests]
        self.book.sending(self.name, keys)

        async def once() -> str:
            nonlocal unsure
            if unsure and (found := await self.service.lost_batch(len(requests), self.book.known(), started)):
                return found
            try:
                return await self.service.create_batch(requests)
            except Transient as error:
                unsure = unsure or error.sent
                raise

        try:
            return (await caller.patient().run(once))[0]
        except BaseException as error:
            if unsure or isinstance(error, asyncio.CancelledError):
                worst = sum(caller.purse.worst_price(request, batch=True) for request in requests)
                caller.purse.lose_sight_of(worst, len(requests))
            else:
                self.book.unsent(self.name, keys)
            raise

    async def find_unheard(self, caller: Caller) -> None:
        """Look for batches that earlier sessions sent without hearing of it: they were killed, or cut off."""
        for lost in self.book.unheard(self.name):
            since = lost.at or datetime.now(UTC)
            look = partial(self.service.lost_batch, len(lost.keys), self.book.known(), since)
            if found := (await caller.patient().run(look))[0]:
                self.book.opened(self.name, found, lost.keys)
            else:
                self.book.unsent(self.name, lost.keys)


FIRST_LOOK_S = 2.0


LONGEST_LOOK_S = 60.0


@dataclass(slots=True)
class Batches(BatchSender):
    """Collects what is under way from earlier sessions, sends the rest, waits, and collects that too."""

    reserved_usd: dict[str, float] = field(default_factory=dict)
    """The worst price of each batch under way."""

    async def fill(self, caller: Caller, work: Work) -> None:
        """Answers into `work`. What errored or expired is left out.

        Raises:
            BudgetError: not even one more request fits the budget.
            LLMError: the service refused, does not know a batch, or a batch was cancelled.
        """
        if self.submit:
            await self.find_unheard(caller)
        numbers = {key: index for index, request in enumerate(work.requests) for key in request.possible_keys()}
        starts = {key[:KEY_START] for key in numbers}
        known = {batch: frozenset(keys) for batch, keys in self.book.open(self.name).items()}
        under_way = [batch for batch, keys in known.items() if starts.intersection(keys)]
        for batch in under_way:
            part = [index for index, request in enumerate(work.requests) if is_among(request, known[batch])]
            self.reserve(caller, batch, part, work)
        for batch in under_way:
            await self.look(caller, batch)  # the key of another workspace is noticed before anything is sent with it
        sent = frozenset[str]().union(*known.values())
        left = list[int]()
        if self.submit:
            left = [index for index, request in enumerate(work.requests) if not is_among(request, sent)]
        while under_way or left:
            left, made = await self.send(caller, work, left, alone=not under_way)
            for batch in [*under_way, *made]:
                await self.collect(caller, work, numbers, batch)
            under_way = []

    async def send(self, caller: Caller, work: Work, left: list[int], *, alone: bool) -> tuple[list[int], list[str]]:
        """As many batches as the budget allows for now.

        Returns:
            what did not fit, and the batches made.
        """
        made: list[str] = []
        while left:
            part = self.part(caller, work, left)
            if not part:
                if alone and not made:
                    raise caller.purse.over_budget()
                break
            requests = [work.requests[index] for index in part]
            caller.go_on()
            batch = await self.create(caller, requests)
            self.book.opened(self.name, batch, [request.key() for request in requests])
            self.reserve(caller, batch, part, work)
            caller.calls += len(part)
            left = left[len(part) :]
            made.append(batch)
        return left, made

    def reserve(self, caller: Caller, batch: str, part: Sequence[int], work: Work) -> None:
        """Hold what a batch may cost until its answers are there."""
        worst = sum(caller.purse.worst_price(work.requests[index], batch=True) for index in part)
        caller.purse.reserved_usd += worst
        self.reserved_usd[batch] = worst

    def release(self, caller: Caller, batch: str) -> None:
        caller.purse.reserved_usd -= self.reserved_usd.pop(batch, 0.0)

    async def look(self, caller: Caller, batch: str) -> Ended | None:
        """Whether a batch has ended; None: it is under way.

        Raises:
            LLMError: the service does not know it. It stays in the book: it was paid for, and another key may do.
        """
        try:
            return (await caller.patient().run(lambda: self.service.batch_ended(batch)))[0]
        except UnknownBatch as error:
            if not self.submit:
                return None  # it is not waited for
            number = len(self.book.open(self.name).get(batch, ()))
            raise LLMError(
                f"{error.what}, and {number:,} requests that were sent in it wait for their answers",
                fix="ask with the key of the workspace that sent it; or give it up, and its requests are asked, and "
                f"paid, once more: `modelcompare answers batches --forget {batch}`",
            ) from error

    async def collect(self, caller: Caller, work: Work, numbers: Mapping[str, int], batch: str) -> None:
        """Wait for a batch and store its answers; one that is not ready is left where nothing is to be sent."""
        pause = FIRST_LOOK_S
        while (ended := await self.look(caller, batch)) is None:
            if not self.submit:
                return
            await caller.patience(pause)
            pause = min(pause * 1.5, LONGEST_LOOK_S)
        if ended.kept:
            await caller.patient().run(lambda: self.take(caller, work, numbers, batch, ended.at))
        self.release(caller, batch)
        self.book.closed(self.name, batch)

    async def take(self, caller: Caller, work: Work, numbers: Mapping[str, int], batch: str, at: datetime) -> None:
        """Store every answer of a batch that is not stored yet."""
        cancelled, sent = 0, frozenset(self.book.open(self.name).get(batch, ()))
        async for key, result in self.service.batch_results(batch):
            index = numbers.get(key)
            if index is None and key[:KEY_START] not in sent:
                continue  # none of ours
            if isinstance(result, Unanswered):
                cancelled += result.kind == "canceled"
            elif index not in work.replies and (index is not None or caller.journal.get(key) is None):
                reply = caller.reply(result, 0.0, at)
                caller.keep(key, work.requests[index or 0], reply, is_asked=index is not None)
                if index is not None:
                    work.note(index, reply)
        self.release(caller, batch)
        if cancelled:
            self.book.closed(self.name, batch)
            raise LLMError(
                f"{cancelled:,} requests of batch {batch} were cancelled",
                fix="run again to ask for them; the batch's other answers are stored",
            )


def is_among(request: Request, starts: Collection[str]) -> bool:
    """Whether a request is one of those that were sent, of which a book keeps how their keys start."""
    return any(key[:KEY_START] in starts for key in request.possible_keys())
