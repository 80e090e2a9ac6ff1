"""Trying again: as long as the service asks, with jitter, within a stated number of attempts, until all is to stop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.provider import Transient
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request

T = TypeVar("T")


LONGEST_WAIT_S = 120.0


JITTER = 0.1
"""Added at most to what a service asks for, so that not all come back at once."""


UNREACHED_ATTEMPTS = 3
"""While nothing was ever heard of a service, as often a connection is tried: some seconds in all."""


def asked_to_wait(seconds: float | None) -> str:
    return f"; the service asks for {seconds:,.0f} s of patience" if seconds and seconds > LONGEST_WAIT_S else ""


def nobody_at(address: str, error: Transient) -> LLMError:
    return LLMError(
        f"nothing answers at {address} ({error.reason})",
        fix="start the service there, or correct the address: `base_url` in the suite, or the provider's variable "
        "(such as OPENAI_BASE_URL); without either, look whether this machine may reach it",
    )


@dataclass(slots=True)
class Retries:
    """How often and how long: at most 8 attempts, waits from 1 s doubling up to 2 minutes.

    The sleeper and the dice can be given for tests.
    """

    attempts: int = 8
    first_wait_s: float = 1.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    heard: Callable[[], bool] = lambda: True
    """Whether anything was ever heard of the service."""

    dice: random.Random = field(default_factory=random.Random)

    def wait_s(self, attempt: int, asked_for_s: float | None) -> float:
        """Doubling, with jitter; never less than what the service asked for."""
        backoff = self.dice.uniform(0.5, 1.0) * min(self.first_wait_s * 2**attempt, LONGEST_WAIT_S)
        return float(max(backoff, (asked_for_s or 0.0) * self.dice.uniform(1, 1 + JITTER)))

    async def run(self, once: Callable[[], Awaitable[T]]) -> tuple[T, int]:
        """The result, and how many retries it took.

        Raises:
            LLMError: the last attempt failed too.
        """
        for attempt in range(self.attempts):
            try:
                return await once(), attempt
            except Transient as error:
                last = error
                if (error.retry_after_s or 0.0) > LONGEST_WAIT_S:
                    break
                if error.unreached and attempt + 1 >= UNREACHED_ATTEMPTS and not self.heard():
                    raise nobody_at(error.unreached, error) from error
                if attempt < self.attempts - 1:
                    await self.sleep(self.wait_s(attempt, error.retry_after_s))
        raise LLMError(
            f"gave up after {attempt + 1} attempts: {last.reason}" + asked_to_wait(last.retry_after_s),
            fix="run again later: what was answered is stored, only the rest is asked",
        ) from last


class Halted(Exception):
    """Nothing more is to be sent: another request failed for good, or the session was interrupted."""


class Work:
    """What is asked for, and what has come of it."""

    def __init__(self, requests: Sequence[Request], tell: Callable[[int], None]) -> None:
        self.requests = list(requests)
        self.replies: dict[int, Reply] = {}
        self.failures: list[BaseException] = []
        self.halted = asyncio.Event()
        self.tell = tell

    def note(self, index: int, reply: Reply) -> None:
        self.replies[index] = reply
        self.tell(len(self.replies))

    def fail(self, error: BaseException) -> None:
        self.failures.append(error)
        self.halted.set()

    def missing(self) -> list[int]:
        return [index for index in range(len(self.requests)) if index not in self.replies]
