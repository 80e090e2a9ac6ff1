"""How fast to ask, learned from what the service says is left and from what it refuses."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pytest_modelcompare.llm.rate import Bucket, limits_in
from pytest_modelcompare.llm.retries import JITTER, LONGEST_WAIT_S

TOO_FAST = (429, 529)
"""Statuses by which a service says that it is asked too much: too many requests, overloaded."""

AT_FIRST = 10
"""Requests in flight before anything is known; each answer makes room for one more."""

EVIDENCE = 20
"""Responses at the present rate before refusals lower it once more: one refusal alone may be chance."""

TOLERATED = 0.02
"""Share of refusals that does not lower the rate; more where a lower rate is seen not to help."""

ENOUGH_ADMITTED = 5
BELOW_ADMITTED = 0.95
DECREASE = 0.5
INCREASE_PER_S = 0.01
"""Of the highest rate that worked, added every second; ten times that while the rate is below it."""

A_FLOOD = 0.2
"""Share of refusals that no chance explains: the rate is too high."""

MOST = 0.5
"""Share of refusals that needs half the evidence."""

MUCH_LOWER = 0.8
"""Times the rate: if as much is refused as before, the rate is not the reason."""

FORGOTTEN = 0.9
"""Of the highest rate that worked, at each decrease."""

REMEMBERED = 1.1
"""Times the present rate: no higher rate is gone back to quickly."""

A_WINDOW_S = 2.0
"""Who is told to wait longer has used up a window's worth; less, and the rate was too high."""

SLOWEST_PER_S = 0.2


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
    (429, 529) set a rate of their own: just below what was admitted lately, or half of it where little was admitted
    (multiplicative decrease), then a little more every second (additive increase). `retry-after` holds all back.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], float] = time.monotonic
    dice: random.Random = field(default_factory=random.Random)
    limits: dict[str, Bucket] = field(default_factory=dict)
    """What headers taught, by kind."""

    learned: Bucket | None = None
    """What refusals taught: requests per second."""

    refused: int = 0
    _under_way: list[tuple[float, Size]] = field(default_factory=list)
    _read_s: float = float("-inf")
    """When the request was sent whose response was the last to be read."""

    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)
    _room: int = AT_FIRST
    _closed_until_s: float = 0.0
    _ahead_s: float = 0.0
    _epoch_s: float | None = None
    """Since when requests go at the present rate."""

    _responses: int = 0
    _admitted: int = 0
    _tolerated: float = TOLERATED
    _before: tuple[float, float] | None = None
    """A rate at which a small share was refused, and that share."""

    _worked_per_s: float = 0.0
    """The highest rate that was admitted, slowly forgotten."""

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
            if self.learned is not None:
                self.learned.level -= 1
            self._under_way.append((now, size))
            self._epoch_s = now if self._epoch_s is None else self._epoch_s
            return now

    def leave(self, sent_s: float, size: Size) -> None:
        """The request is over, however it ended."""
        self._under_way.remove((sent_s, size))
        self._freed.set()

    def wait_s(self, size: Size) -> float:
        """How long the next request must still wait."""
        now = self.clock_s()
        waits = [self._closed_until_s - now]
        waits += [bucket.wait_s(size.of(kind), now) for kind, bucket in self.limits.items()]
        if self.learned is not None:
            self.speed_up(self.learned, now)
            waits.append(self.learned.wait_s(1, now))
        return max(waits)

    def answered(self, headers: Mapping[str, str], sent_s: float) -> None:
        """A response that is no refusal: it tells what is left."""
        self._room += 1
        self.count(sent_s, admitted=True)
        self.read(headers, sent_s)

    def turned_away(self, headers: Mapping[str, str], sent_s: float, retry_after_s: float | None) -> None:
        """A refusal for asking too much."""
        now = self.clock_s()
        self.refused += 1
        self.count(sent_s, admitted=False)
        self.read(headers, sent_s)
        if retry_after_s is not None:
            wait = min(retry_after_s, LONGEST_WAIT_S) * self.dice.uniform(1, 1 + JITTER)
            self._closed_until_s = max(self._closed_until_s, now + wait)
            if wait >= A_WINDOW_S and any(limit.left < 1 for limit in limits_in(headers)):
                return  # all of a window is used up: what the next one holds will be said
        share = 1 - self._admitted / self._responses if self._responses else 0.0
        enough = self._responses >= (EVIDENCE / 2 if share >= MOST else EVIDENCE)
        if self._epoch_s is not None and enough and share >= self._tolerated:
            self.slow_down(now, max(now - self._epoch_s, 0.05), share)

    def slow_down(self, now: float, elapsed_s: float, share: float) -> None:
        """Just below what was admitted, where that is known; else half of the present rate.

        Where a much lower rate has not helped, refusals come whatever the rate: the rate is what it was.
        """
        rate = self.learned.per_s if self.learned is not None else self._responses / elapsed_s
        if share >= A_FLOOD:
            self._before = None
        elif self._before is None:
            self._before = (rate, share)
        elif rate <= MUCH_LOWER * self._before[0] and share >= self._before[1] / 2:
            self._tolerated = min(A_FLOOD, 2 * share)
            self.learned = Bucket(self._before[0], 1.0, 0.0, now)
            self._worked_per_s = self._before[0]
            self._epoch_s, self._responses, self._admitted, self._before = now, 0, 0, None
            return
        likely = self._admitted + (len(self._under_way) if share < A_FLOOD else 0)
        admitted = likely / elapsed_s
        enough = self._admitted >= ENOUGH_ADMITTED
        lower = max(SLOWEST_PER_S, min(rate, BELOW_ADMITTED * admitted) if enough else rate * DECREASE)
        self._worked_per_s = max(lower, min(FORGOTTEN * self._worked_per_s, REMEMBERED * lower))
        self.learned = Bucket(lower, 1.0, 0.0, now)
        self._epoch_s, self._responses, self._admitted = now, 0, 0

    def speed_up(self, learned: Bucket, now: float) -> None:
        """A little more every second, and quicker while it is less than what worked before."""
        step = INCREASE_PER_S * self._worked_per_s * (10 if learned.per_s < self._worked_per_s else 1)
        learned.per_s += step * max(0.0, now - learned.at_s)

    def count(self, sent_s: float, *, admitted: bool) -> None:
        """Of what was sent at the present rate, how much was let in."""
        if self._epoch_s is not None and sent_s >= self._epoch_s:
            self._responses += 1
            self._admitted += admitted

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
