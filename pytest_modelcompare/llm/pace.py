"""How fast to ask, learned from what the service says is left and from what it refuses."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pytest_modelcompare.llm.retries import JITTER, LONGEST_WAIT_S

MINUTE_S = 60.0


DAY_S = 86_400.0


LONGEST_MINUTE_S = 600.0
"""A period inferred to be shorter than this is a minute, a longer one a day: services state no others."""


KINDS = {"requests": "requests", "tokens": "tokens", "input-tokens": "input", "output-tokens": "output"}
"""A header's word → what it limits. `tokens` are input and output together."""


DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


DURATION_S = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as a response states it."""

    kind: str
    """requests, input, output or tokens."""

    most: float
    """What may be used in one period."""

    left: float
    per_s: float
    """How fast what was used comes back."""


def limits_in(headers: Mapping[str, str]) -> list[Limit]:
    """The limits in a response's headers.

    Args:
        headers: names in lower case. `anthropic-ratelimit-KIND-limit` and `-remaining` are per minute and come back
            continuously; `x-ratelimit-limit-KIND`, `-remaining-` and `-reset-` are per minute or per day, and the
            time until all of it is back tells which.
    """
    found = []
    for word, kind in KINDS.items():
        most = number(headers, f"anthropic-ratelimit-{word}-limit")
        left = number(headers, f"anthropic-ratelimit-{word}-remaining")
        period = MINUTE_S
        if most is None or left is None:
            most = number(headers, f"x-ratelimit-limit-{word}")
            left = number(headers, f"x-ratelimit-remaining-{word}")
            if most is None or left is None:
                continue
            period = period_s(most, left, seconds_in(headers.get(f"x-ratelimit-reset-{word}", "")))
        if most > 0:
            found.append(Limit(kind, most, min(left, most), most / period))
    return found


def period_s(most: float, left: float, reset_s: float | None) -> float:
    """A minute or a day: what was used comes back within the reset."""
    if not reset_s or left >= most:
        return MINUTE_S
    return MINUTE_S if most * reset_s / (most - left) <= LONGEST_MINUTE_S else DAY_S


def seconds_in(text: str) -> float | None:
    """Seconds of a duration like `1h2m3.5s` or `12ms`, or of a bare number; None for anything else."""
    try:
        bare = float(text)
    except ValueError:
        matched = DURATION.fullmatch(text.strip())
        if matched is None or not text.strip():
            return None
        return sum(float(part) * unit for part, unit in zip(matched.groups(), DURATION_S, strict=True) if part)
    return bare if math.isfinite(bare) and bare >= 0 else None


def number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        found = float(headers.get(name, ""))
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


@dataclass(slots=True)
class Bucket:
    """Fills at a steady rate up to its size; what is sent is taken out of it."""

    per_s: float
    most: float
    level: float
    at_s: float
    """When the level was right."""

    def fill(self, now_s: float) -> None:
        self.level = min(self.most, self.level + self.per_s * max(0.0, now_s - self.at_s))
        self.at_s = now_s

    def wait_s(self, size: float, now_s: float) -> float:
        """How long until so much is in it; what is larger than the bucket waits for a full one."""
        self.fill(now_s)
        lacking = min(size, self.most) - self.level
        return max(0.0, lacking) / self.per_s


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


SLOWEST_PER_S = 0.2


@dataclass(slots=True)
class LearnedRate:
    """Just below what was admitted lately, or half of the rate where little was admitted (multiplicative decrease);
    then a little more every second (additive increase). All times by the clock of whoever asks.
    """

    bucket: Bucket | None = None
    """Requests per second; None as long as nothing was learned."""

    _epoch_s: float | None = None
    """Since when requests go at the present rate."""

    _responses: int = 0
    _admitted: int = 0
    _tolerated: float = TOLERATED
    _before: tuple[float, float] | None = None
    """A rate at which a small share was refused, and that share."""

    _worked_per_s: float = 0.0
    """The highest rate that was admitted, slowly forgotten."""

    def wait_s(self, now: float) -> float:
        """How long the next request must wait; the rate has grown since it was last asked for."""
        if self.bucket is None:
            return 0.0
        step = INCREASE_PER_S * self._worked_per_s * (10 if self.bucket.per_s < self._worked_per_s else 1)
        self.bucket.per_s += step * max(0.0, now - self.bucket.at_s)
        return self.bucket.wait_s(1, now)

    def sent(self, now: float) -> None:
        """A request goes."""
        if self.bucket is not None:
            self.bucket.level -= 1
        self._epoch_s = now if self._epoch_s is None else self._epoch_s

    def count(self, sent_s: float, *, admitted: bool) -> None:
        """Of what was sent at the present rate, how much was let in."""
        if self._epoch_s is not None and sent_s >= self._epoch_s:
            self._responses += 1
            self._admitted += admitted

    def weigh(self, now: float, under_way: int) -> None:
        """After a refusal: lower the rate, where there is evidence enough that it is too high."""
        share = 1 - self._admitted / self._responses if self._responses else 0.0
        enough = self._responses >= (EVIDENCE / 2 if share >= MOST else EVIDENCE)
        if self._epoch_s is not None and enough and share >= self._tolerated:
            self._slow_down(now, max(now - self._epoch_s, 0.05), share, under_way)
            self._epoch_s, self._responses, self._admitted = now, 0, 0

    def _slow_down(self, now: float, elapsed_s: float, share: float, under_way: int) -> None:
        """Just below what was admitted, where that is known; else half of the present rate.

        Where a much lower rate has not helped, refusals come whatever the rate: the rate is what it was.
        """
        rate = self.bucket.per_s if self.bucket is not None else self._responses / elapsed_s
        if share >= A_FLOOD:
            self._before = None
        elif self._before is None:
            self._before = (rate, share)
        elif rate <= MUCH_LOWER * self._before[0] and share >= self._before[1] / 2:
            self._tolerated = min(A_FLOOD, 2 * share)
            self.bucket = Bucket(self._before[0], 1.0, 0.0, now)
            self._worked_per_s, self._before = self._before[0], None
            return
        likely = self._admitted + (under_way if share < A_FLOOD else 0)
        enough = self._admitted >= ENOUGH_ADMITTED
        lower = max(SLOWEST_PER_S, min(rate, BELOW_ADMITTED * likely / elapsed_s) if enough else rate * DECREASE)
        self._worked_per_s = max(lower, min(FORGOTTEN * self._worked_per_s, REMEMBERED * lower))
        self.bucket = Bucket(lower, 1.0, 0.0, now)


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
