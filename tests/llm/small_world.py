"""Requests, a journal in memory, and an asker at a service on loopback."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from pytest_modelcompare.llm.anthropic_service import AnthropicProvider
from pytest_modelcompare.llm.calling import Asker
from pytest_modelcompare.llm.provider import Access
from pytest_modelcompare.llm.purse import Purse
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.retries import Retries
from pytest_modelcompare.llm.wording import quoted
from tests.llm.anthropic_server import KEY, AnthropicServer

LABELS = ("ham", "spam")
NAME = "claude-haiku-5-5"
MODEL = f"anthropic:{NAME}"


class Memory:
    """A journal that counts what is put."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.puts: dict[str, int] = {}

    def get(self, key: str) -> dict[str, Any] | None:
        return self.records.get(key)

    def put(self, key: str, record: dict[str, Any]) -> None:
        self.records[key] = record
        self.puts[key] = self.puts.get(key, 0) + 1


def some_requests(count: int, *, system: str = "Say what it is.", model: str = NAME) -> list[Request]:
    return [
        Request("anthropic", model, system, (("user", quoted(f"message {row}")),), LABELS, 20) for row in range(count)
    ]


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


def asker_at(server: AnthropicServer, journal: Memory | None = None, **facts: Any) -> Asker:
    """Asks the server; its retries do not wait."""
    client = AnthropicProvider(Access(NAME, KEY, server.url, Path()), facts.pop("timeout_s", 10.0))
    facts.setdefault("retries", Retries(sleep=no_wait, dice=random.Random(1)))
    return Asker(client, journal or Memory(), "s1", Purse(facts.pop("budget_usd", 1.0)), **facts)
