"""Requests on their way into a service's batches: how many fit one, and a batch whose response was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from pytest_modelcompare.llm.batch_service import BatchBook, BatchService
from pytest_modelcompare.llm.calling import Caller
from pytest_modelcompare.llm.provider import Transient
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.work import Work

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
