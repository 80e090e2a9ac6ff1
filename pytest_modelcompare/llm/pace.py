"""How fast to ask, learned from what the service says is left and from what it refuses."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pytest_modelcompare.llm.learned_rate import LearnedRate
from pytest_modelcompare.llm.rate import Bucket, limits_in
from pytest_modelcompare.llm.retries import JITTER, LONGEST_WAIT_S

TOO_FAST = (429, 529)
"""Statuses by which a service says that it is asked too much: too many requests, overloaded."""

AT_FIRST = 10
"""Requests in flight before anything is known; each answer makes room for one more."""

A_WINDOW_S = 2.0
"""Who is told to wait longer has used up a window's worth; less, and the rate was too high."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a request takes of each kind of limit, as estimated."""

    input_tokens: float = 0.0
    output_tokens: float = 0.0

    def of(self, kind: str) -> float:
        tokens = {"input": self.input_tokens, "output": self.output_tokens}
        return 1.0 if kind == "requests" else tokens.get(kind, self.input_tokens + self.output_tokens)


@dataclass(slots=True)
class Pace:
    """Lets requests go at the rate that the service allows.

    What a response's headers say is left may be used at once; then the rate is that at which it comes back. Refusals
    (429, 529) set a rate of their own. `retry-after` holds all back.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic
    dice: random.Random = field(default_factory=random.Random)
    limits: dict[str, Bucket] = field(default_factory=dict)
    """What headers taught, by kind."""

    learned: LearnedRate = field(default_factory=LearnedRate)
    """What refusals taught."""

    refused: int = 0
    _under_way: list[tuple[float, Size]] = field(default_factory=list)
    _read_s: float = float("-inf")
    """When the request was sent whose response was the last to be read."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)
    _room: int = AT_FIRST
    _closed_until_s: float = 0.0
    _ahead_s: float = 0.0

    def clock_s(self) -> float:
        """A sleeper that returns early moves this clock ahead."""
        return self.now() + self._ahead_s

    async def enter(self, size: Size) -> float:
        """Wait for this request's turn; requests go in the order in which they came.

        Returns:
            when it was let go, for `answered` and `turned_away`.
        """
        async with self._turn:
            while len(self._under_way) >= self._room:
                self._freed.clear()
                await self._freed.wait()
            while (wait := self.wait_s(size)) > 0:
                before = self.now()
                await self.sleep(wait)
                self._ahead_s += max(0.0, wait - (self.now() - before))
            now = self.clock_s()
            for kind, bucket in self.limits.items():
                bucket.level -= size.of(kind)
            self.learned.sent(now)
            self._under_way.append((now, size))
            return now

    def leave(self, sent_s: float, size: Size) -> None:
        """The request is over, however it ended."""
        self._under_way.remove((sent_s, size))
        self._freed.set()

    def wait_s(self, size: Size) -> float:
        """How long the next request must still wait."""
        now = self.clock_s()
        waits = [bucket.wait_s(size.of(kind), now) for kind, bucket in self.limits.items()]
        return max([self._closed_until_s - now, self.learned.wait_s(now), *waits])

    def answered(self, headers: Mapping[str, str], sent_s: float) -> None:
        """A response that is no refusal: it tells what is left."""
        self._room += 1
        self.learned.count(sent_s, admitted=True)
        self.read(headers, sent_s)

    def turned_away(self, headers: Mapping[str, str], sent_s: float, retry_after_s: float | None) -> None:
        """A refusal for asking too much."""
        now = self.clock_s()
        self.refused += 1
        self.learned.count(sent_s, admitted=False)
        self.read(headers, sent_s)
        if retry_after_s is not None:
            wait = min(retry_after_s, LONGEST_WAIT_S) * self.dice.uniform(1, 1 + JITTER)
            self._closed_until_s = max(self._closed_until_s, now + wait)
            if wait >= A_WINDOW_S and any(limit.left < 1 for limit in limits_in(headers)):
                return  # all of a window is used up: what the next one holds will be said
        self.learned.weigh(now, len(self._under_way))

    def read(self, headers: Mapping[str, str], sent_s: float) -> None:
        """What is left, less what was sent since: the service may have counted when the request arrived.

        Responses that come late tell of a state that is past.
        """
        if sent_s < self._read_s:
            return
        self._read_s = sent_s
        now = self.clock_s()
        for limit in limits_in(headers):
            used = sum(size.of(limit.kind) for let_go, size in self._under_way if let_go > sent_s)
            left = limit.left - max(0.0, used - limit.per_s * (now - sent_s))
            if (bucket := self.limits.get(limit.kind)) is not None:
                bucket.fill(now)
                left = bucket.level if left <= bucket.level < left + 1 else left  # parts of one are not told
            self.limits[limit.kind] = Bucket(limit.per_s, limit.most, left, now)
