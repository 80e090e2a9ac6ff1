"""What a job's progress tells of its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_modelcompare.records.progress import Progress

TENTHS = 10


@dataclass(slots=True)
class Pace:
    """Watches one job."""

    clock: Callable[[], float]
    started: float = field(init=False)
    first: tuple[int, float] | None = None
    """What was done at the first word of it, and when: an interrupted training does not begin at 0."""

    last: tuple[int, int, float] | None = None
    """Done, in total, and when."""

    def __post_init__(self) -> None:
        self.started = self.clock()

    def note(self, progress: Progress) -> None:
        """Take down how far it is."""
        now = self.clock()
        if self.first is None or progress.done < self.first[0]:  # another part of the job counts from its own 0
            self.first = (progress.done, now)
        self.last = (progress.done, progress.total, now)

    @property
    def elapsed_s(self) -> float:
        """Since its start, as far as something was heard."""
        return (self.started if self.last is None else self.last[2]) - self.started

    @property
    def left_s(self) -> float | None:
        """At the pace so far; None where there is none yet."""
        if self.first is None or self.last is None or self.last[0] <= self.first[0]:
            return None
        (begun, then), (done, total, now) = self.first, self.last
        return (now - then) / (done - begun) * (total - done)


def tenth(progress: Progress) -> int:
    """How many tenths are done."""
    return TENTHS * progress.done // progress.total if progress.total else 0


def in_minutes(seconds: float) -> str:
    """E.g. 0:07 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
