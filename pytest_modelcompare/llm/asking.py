"""Many requests in flight; the first failure, or a stop, keeps the rest from being sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pytest_modelcompare.errors import LLMError, ModelCompareError
from pytest_modelcompare.llm.caching import marked, shared_prefixes
from pytest_modelcompare.llm.calling import Caller
from pytest_modelcompare.llm.provider import GrammarTooLarge
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.work import Halted, Work

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
