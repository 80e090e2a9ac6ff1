"""The rate that refusals teach: lowered where many come, then slowly raised again."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_modelcompare.llm.rate import Bucket

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
