"""One set of requests while it is asked, shared by everything that asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request


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
