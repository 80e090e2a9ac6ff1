"""What a process that works for another is told, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.records.jobs import Context, Results
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Progress


@dataclass(frozen=True, slots=True)
class Order:
    """A job as it travels."""

    title: str
    work: Callable[[Context, Results], Any]
    options: Options
    results: Results


@dataclass(frozen=True, slots=True)
class Usage:
    """The device's memory, as a process that trains sees it, in 2**20 bytes."""

    free_mb: float
    peak_mb: float
    """What this process has held at most."""


@dataclass(frozen=True, slots=True)
class Tidings:
    """How far it is."""

    progress: Progress
    usage: Usage | None = None
    """None: not measured this time."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A `ModelCompareError`, in a form that travels between processes."""

    kind: type[ModelCompareError]
    what: str
    where: str | None
    fix: str | None

    @classmethod
    def of(cls, error: ModelCompareError) -> Failure:
        return cls(type(error), error.what, error.where, error.fix)

    def error(self) -> ModelCompareError:
        return self.kind(self.what, where=self.where, fix=self.fix)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a job."""

    how: Literal["done", "failed", "left"]
    """Done; failed for good; or left to be done alone."""

    result: Any = None
    failure: Failure | None = None
    why: str = ""
    """Of what is left."""
