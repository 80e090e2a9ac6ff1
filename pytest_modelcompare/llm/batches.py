"""Answers at half price, within a day: requests go to the service in batches, whose ids outlive this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.asking import Asker
from pytest_modelcompare.llm.batch_service import BatchBook, BatchService, Unanswered
from pytest_modelcompare.llm.provider import Transient
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.work import Work
from pytest_modelcompare.store.batches import KEY_START

MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000
"""Of one batch. Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing#batch-limitations"""

FIRST_LOOK_S = 2.0
LONGEST_LOOK_S = 60.0


@dataclass(slots=True)
class Batches:
    """Collects what is under way from earlier sessions, sends the rest, waits, and collects that too."""

    service: BatchService
    book: BatchBook
    name: str
    """As `service_name` gives it."""

    submit: bool = True
    """False: only take what earlier sessions' batches have ready."""

    most_requests: int = MOST_REQUESTS
    most_bytes: int = MOST_BYTES
    reserved_usd: dict[str, float] = field(default_factory=dict)
    """The worst price of each batch under way."""

    async def fill(self, asker: Asker, work: Work) -> None:
        """Answers into `work`. What errored or expired is left out.

        Raises:
            BudgetError: not even one more request fits the budget.
            LLMError: the service refused, or a batch was cancelled.
        """
        numbers = {request.key(): index for index, request in enumerate(work.requests)}
        starts = {key[:KEY_START] for key in numbers}
        known = {batch: frozenset(keys) for batch, keys in self.book.open(self.name).items()}
        under_way = [batch for batch, keys in known.items() if starts.intersection(keys)]
        for batch in under_way:
            part = [index for key, index in numbers.items() if key[:KEY_START] in known[batch]]
            self.reserve(asker, batch, part, work)
        sent = frozenset[str]().union(*known.values())
        left = [index for key, index in numbers.items() if key[:KEY_START] not in sent] if self.submit else []
        while under_way or left:
            left, made = await self.send(asker, work, left, alone=not under_way)
            for batch in [*under_way, *made]:
                await self.collect(asker, work, numbers, batch)
            under_way = []

    async def send(self, asker: Asker, work: Work, left: list[int], *, alone: bool) -> tuple[list[int], list[str]]:
        """As many batches as the budget allows for now.

        Returns:
            what did not fit, and the batches made.
        """
        made: list[str] = []
        while left:
            part = self.part(asker, work, left)
            if not part:
                if alone and not made:
                    raise asker.purse.over_budget()
                break
            requests = [work.requests[index] for index in part]
            asker.go_on()
            batch = await self.create(asker, requests)
            self.book.opened(self.name, batch, [request.key() for request in requests])
            self.reserve(asker, batch, part, work)
            asker.calls += len(part)
            left = left[len(part) :]
            made.append(batch)
        return left, made

    def reserve(self, asker: Asker, batch: str, part: Sequence[int], work: Work) -> None:
        """Hold what a batch may cost until its answers are there."""
        worst = sum(asker.purse.worst_price(work.requests[index], batch=True) for index in part)
        asker.purse.reserved_usd += worst
        self.reserved_usd[batch] = worst

    def release(self, asker: Asker, batch: str) -> None:
        asker.purse.reserved_usd -= self.reserved_usd.pop(batch, 0.0)

    def part(self, asker: Asker, work: Work, left: Sequence[int]) -> list[int]:
        """From the front, what fits one batch and what may still be spent."""
        part: list[int] = []
        worst, size = 0.0, 0
        for index in left:
            request = work.requests[index]
            price, added = asker.purse.worst_price(request, batch=True), self.service.batch_bytes(request)
            dear = asker.purse.committed_usd + worst + price > asker.purse.budget_usd
            if dear or len(part) == self.most_requests or (part and size + added > self.most_bytes):
                break
            worst, size = worst + price, size + added
            part.append(index)
        return part

    async def create(self, asker: Asker, requests: Sequence[Request]) -> str:
        """Send one batch. Where the service may have taken it unheard, look for it before sending it again."""
        started, unsure = datetime.now(UTC), False

        async def once() -> str:
            nonlocal unsure
            if unsure and (found := await self.service.lost_batch(len(requests), self.book.known(), started)):
                return found
            try:
                return await self.service.create_batch(requests)
            except Transient as error:
                unsure = unsure or error.sent
                raise

        return (await asker.patient().run(once))[0]

    async def collect(self, asker: Asker, work: Work, numbers: Mapping[str, int], batch: str) -> None:
        """Wait for a batch and store its answers; one that is not ready is left where nothing is to be sent."""
        pause = FIRST_LOOK_S
        retries = asker.patient()
        while (ended := (await retries.run(lambda: self.service.batch_ended(batch)))[0]) is None:
            if not self.submit:
                return
            await asker.patience(pause)
            pause = min(pause * 1.5, LONGEST_LOOK_S)
        if ended.kept:
            await retries.run(lambda: self.take(asker, work, numbers, batch, ended.at))
        self.release(asker, batch)
        self.book.closed(self.name, batch)

    async def take(self, asker: Asker, work: Work, numbers: Mapping[str, int], batch: str, at: datetime) -> None:
        """Store every answer of a batch that is not stored yet."""
        cancelled, sent = 0, frozenset(self.book.open(self.name).get(batch, ()))
        async for key, result in self.service.batch_results(batch):
            index = numbers.get(key)
            if index is None and key[:KEY_START] not in sent:
                continue  # none of ours
            if isinstance(result, Unanswered):
                cancelled += result.kind == "canceled"
            elif index not in work.replies and (index is not None or asker.journal.get(key) is None):
                reply = asker.reply(result, 0.0, at)
                asker.keep(key, work.requests[0], reply)
                if index is not None:
                    work.note(index, reply)
        self.release(asker, batch)
        if cancelled:
            self.book.closed(self.name, batch)
            raise LLMError(
                f"{cancelled:,} requests of batch {batch} were cancelled",
                fix="run again to ask for them; the batch's other answers are stored",
            )
