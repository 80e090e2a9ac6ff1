"""What a process that trains for another is told, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.local import LocalJob
from pytest_modelcompare.execution.options import Options
from pytest_modelcompare.records.progress import Progress

SHARED_NOTE = "trained while other trainings shared the GPU: alone it takes less time"


@dataclass(frozen=True, slots=True)
class Order:
    """A training to make and keep."""

    job: LocalJob
    base: Path
    """The suite's folder."""

    options: Options
    """With the store that the run is put into."""


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
    """What became of a training."""

    how: Literal["made", "found", "failed", "left"]
    """Made and kept; found in the store meanwhile; failed for good; or left to be made alone."""

    failure: Failure | None = None
    why: str = ""
    """Of what is left."""
