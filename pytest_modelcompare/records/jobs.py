"""Work whose result is worth keeping: what it is called, what it rests on, where it may run.

Planning makes jobs, the plan prints them, the store answers for those that it holds, the
scheduler starts the others when what they need is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched, Watcher

R = TypeVar("R")

Results = Mapping[str, Any]
"""What jobs gave, by their keys."""


class Place(StrEnum):
    """Where a job runs."""

    HERE = "here"
    """In this process, one after the other."""

    DEVICE = "device"
    """Wherever the executor has a device for it."""

    API = "api"
    """At a service: beside everything else."""

    ALONE = "alone"
    """Here, after all else, with nothing beside it: timings."""


class Kind(StrEnum):
    """What a job does."""

    READ = "read"
    REHEARSE = "rehearse"
    TRAIN = "train"
    SERVE = "serve"
    REFERENCE = "reference"
    SMOKE = "smoke"
    SEARCH = "search"
    ASK = "ask"
    BATCH = "batch"
    LOOK = "look"
    SELECT = "select"
    TIME = "time"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a job is expected to take."""

    calls: int = 0
    """Requests to a service that are not stored, at most."""

    all_calls: int = 0
    """Those that are stored counted in."""

    tokens: int = 0
    usd: float = 0.0
    basis: str = ""
    """What the tokens were estimated from, in words."""

    error: float | None = None
    """Relative: the bill is expected within as much of the estimate, above and below; None: not known."""

    search_calls: int = 0
    """Of `calls`, those that a search for a prompt makes, at most."""

    waiting: int = 0
    """Requests under way in batches that earlier sessions sent."""

    train_rows: int | None = None
    """So many training rows are learned from, where the suite says how many."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a job is run with. Nothing of it belongs to one process."""

    options: Options
    watcher: Watcher = field(default_factory=Unwatched)
    shared_device: bool = False
    """Whether other jobs run on the same device meanwhile."""

    set_aside: list[str] = field(default_factory=list, compare=False)
    """What was found damaged in the store, in words; added to."""


@dataclass(frozen=True, slots=True, eq=False)
class Job(Generic[R]):
    """One piece of work."""

    key: str
    """The fingerprint of what was asked for, never of how it went."""

    task: str
    """What is done, e.g. "train, seed 43"."""

    kind: Kind
    place: Place
    work: Callable[[Context, Results], R]
    """An importable function, or a `functools.partial` of one over records, where `place` is DEVICE."""

    needs: tuple[Job[Any], ...] = ()
    """Jobs whose results it works on; where one of them fails, so does this one."""

    after: tuple[Job[Any], ...] = ()
    """Jobs that have ended, well or not, before it begins."""

    stored: bool = False
    """Whether its result is there already, and running it only reads."""

    expected: Expected = Expected()
    memory_like: str = ""
    """Jobs of one name take about the same memory on a device."""

    contestant: str = ""
    """Whom it was planned for; empty where that is the whole suite."""

    @property
    def title(self) -> str:
        """E.g. "minilm: train, seed 43"."""
        return titled(self.contestant, self.task)


def titled(contestant: str, task: str) -> str:
    return f"{contestant}: {task}" if contestant else task
