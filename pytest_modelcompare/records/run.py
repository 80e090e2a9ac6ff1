"""One training, or one set of answers, as the store keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_modelcompare.records.measurements import Footprint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_modelcompare.records.predictions import Predictions


@dataclass(frozen=True, slots=True)
class Device:
    """Where work runs and why: a choice that returns its reason."""

    kind: str
    """cpu, cuda or mps."""

    precision: str
    """fp32 or bf16."""

    reason: str

    threads: int | None = None
    """That computed on the CPU."""

    threads_because: str = ""
    """Why so many, e.g. "every core"."""

    threads_wait: str = ""
    """How threads without work wait, e.g. "GOMP_SPINCOUNT=1000"."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a contestant's method hands back: everything but where and when it ran."""

    predictions: Predictions
    footprint: Footprint = field(default_factory=Footprint)
    device: Device | None = None
    notes: tuple[str, ...] = ()
    """What a reader should know, e.g. "4 % of the test rows are cut at 256 tokens"."""

    validation: Predictions | None = None
    """Of the validation rows, in their order; None where the data set has none."""

    shared_device: bool = False
    """Whether other trainings ran on its device meanwhile: alone it takes less time."""


@dataclass(frozen=True, slots=True)
class Run:
    """An outcome in the store. Immutable."""

    fingerprint: str
    outcome: Outcome
    seed: int
    machine: str
    versions: Mapping[str, str]
    created: str
    """ISO 8601, UTC."""

    session: str
    folder: Path
    """Holds the weights under `model/`, where the method keeps any."""

    stored: bool = False
    """True: read from the store; False: made in this session."""
