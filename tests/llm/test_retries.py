"""Trying again."""

from __future__ import annotations

import asyncio

import pytest

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.provider import Transient
from pytest_modelcompare.llm.retries import Retries


def test_waits_double_with_jitter_and_the_last_attempt_is_the_last():
    waits: list[float] = []

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)

    async def once() -> None:
        raise Transient("529: Overloaded")

    with pytest.raises(LLMError, match="gave up after 8 attempts: 529: Overloaded"):
        asyncio.run(Retries(sleep=no_wait).run(once))
    assert len(waits) == 7
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits))
    assert len({wait / 2**n for n, wait in enumerate(waits)}) == 7
