"""How fast requests go: simulated services, whose minutes take no time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_modelcompare.llm.pace import Pace, Size
from pytest_modelcompare.llm.provider import Transient
from pytest_modelcompare.llm.retries import Retries
from tests.llm import virtual_time
from tests.llm.service_limits import RequestLimit

LATENCY_S = 0.2
SIZE = Size(100, 10)


@dataclass
class Run:
    """What became of many requests, 32 at once."""

    seconds: float
    sent: int
    refused: int


async def asked(requests: int, limit: RequestLimit | None, chance: float = 0.0) -> Run:
    """Ask a service that allows so much, and refuses a share of the requests for no reason."""
    dice = random.Random(1)
    pace = Pace(now=virtual_time.now, dice=random.Random(2))
    waiting = iter(range(requests))
    sent = 0

    async def once() -> None:
        nonlocal sent
        let_go = await pace.enter(SIZE)
        sent += 1
        let_in, headers = (True, {}) if limit is None else limit.admit()
        by_chance = let_in and dice.random() < chance
        await asyncio.sleep(LATENCY_S * dice.uniform(0.7, 1.3) if let_in and not by_chance else 0.005)
        pace.leave(let_go, SIZE)
        if let_in and not by_chance:
            return pace.answered(headers, let_go)
        after = float(headers["retry-after"]) if "retry-after" in headers else None
        pace.turned_away(headers, let_go, after)
        raise Transient("429", after, status=429)

    async def worker() -> None:
        for _ in waiting:
            await Retries(dice=dice).run(once)

    await asyncio.gather(*(worker() for _ in range(32)))
    return Run(virtual_time.now(), sent, pace.refused)


def a_limit(**facts: Any) -> RequestLimit:
    return RequestLimit(600, clock=virtual_time.now, **facts)


def test_without_a_limit_nothing_waits():
    # 2,000 answers of 0.2 s on average, 32 at once: 12.5 s
    run = virtual_time.run(asked(2_000, None))
    assert run.seconds < 13


SERVICES = {
    "a bucket of a minute": {},
    "a bucket of ten": {"burst": 10},
    "OpenAI's words": {"told": "openai", "burst": 10},
    "nothing but 429": {"told": None, "burst": 10},
    "windows": {"kind": "windows"},
    "windows of which nothing is said": {"kind": "windows", "told": None},
}


@pytest.mark.parametrize("facts", SERVICES.values(), ids=SERVICES)
def test_95_percent_of_the_limit_is_used_with_fewer_than_1_in_20_refused(facts: dict[str, Any]):
    limit = a_limit(**facts)
    run = virtual_time.run(asked(2_000, limit))
    at_once = 0 if limit.kind == "windows" else limit.most
    assert 0.95 * (at_once + 10 * run.seconds) <= 2_000
    assert run.refused < run.sent / 20


def test_what_is_left_may_go_at_once():
    run = virtual_time.run(asked(500, a_limit()))
    assert run.seconds < 4
    assert run.refused == 0


def test_refusals_that_have_nothing_to_do_with_the_rate_hardly_slow_it_down():
    run = virtual_time.run(asked(2_000, None, chance=0.01))
    assert run.seconds < 1.6 * 12.5


async def paces_of(pace: Pace, count: int) -> list[float]:
    return [await pace.enter(SIZE) for _ in range(count)]


def test_retry_after_holds_everything_back():
    async def story() -> list[float]:
        pace = Pace(now=virtual_time.now)
        first = await pace.enter(SIZE)
        pace.leave(first, SIZE)
        pace.turned_away({}, first, 30.0)
        return await paces_of(pace, 3)

    # with up to a tenth of jitter
    assert all(30 <= at <= 33 for at in virtual_time.run(story()))


def test_one_refusal_lowers_nothing_and_many_halve_the_rate_which_then_grows():
    async def story() -> tuple[Any, float, float]:
        pace = Pace(now=virtual_time.now)
        sent = []
        for _ in range(20):
            sent.append(await pace.enter(SIZE))
            await asyncio.sleep(0.1)  # ten a second
            pace.leave(sent[-1], SIZE)
        pace.turned_away({}, sent[0], None)
        before = pace.learned.bucket
        for at in sent[1:10]:
            pace.turned_away({}, at, None)
        assert pace.learned.bucket is not None
        lowered = pace.learned.bucket.per_s
        await asyncio.sleep(10)
        pace.wait_s(SIZE)
        return before, lowered, pace.learned.bucket.per_s

    before, lowered, later = virtual_time.run(story())
    assert before is None
    assert lowered == pytest.approx(2.5)  # half of ten responses in two seconds: none was admitted
    assert later == pytest.approx(2.5 + 10 * 0.01 * 2.5)


def test_few_go_first_and_each_answer_makes_room_for_one_more():
    async def story() -> list[float]:
        pace = Pace(now=virtual_time.now)
        first = await paces_of(pace, 10)
        late = asyncio.create_task(paces_of(pace, 2))
        await asyncio.sleep(1)
        pace.leave(first[0], SIZE)
        pace.answered({}, first[0])
        return [*first, *await late]

    assert virtual_time.run(story()) == [0.0] * 10 + [1.0, 1.0]


def test_tokens_are_paced_as_requests_are():
    async def story() -> list[float]:
        pace = Pace(now=virtual_time.now)
        first = await pace.enter(SIZE)
        pace.leave(first, SIZE)
        told = {"anthropic-ratelimit-input-tokens-limit": "6000", "anthropic-ratelimit-input-tokens-remaining": "0"}
        pace.answered(told, first)
        return await paces_of(pace, 3)

    # 100 tokens each, 100 tokens a second
    assert virtual_time.run(story()) == pytest.approx([1.0, 2.0, 3.0])


def test_a_request_larger_than_the_limit_waits_for_a_full_bucket():
    async def story() -> float:
        pace = Pace(now=virtual_time.now)
        first = await pace.enter(SIZE)
        pace.leave(first, SIZE)
        told = {"anthropic-ratelimit-input-tokens-limit": "60", "anthropic-ratelimit-input-tokens-remaining": "0"}
        pace.answered(told, first)
        return await pace.enter(SIZE)

    assert virtual_time.run(story()) == pytest.approx(60.0)
