"""Methods that the format knows and this version refuses by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from pytest_modelcompare.methods.base import ContestantJobs, ContestantSpec, Desk, Known, Method
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.settings import Settings


class LoraSettings(FineTuneSettings):
    """Low-rank adapters on an encoder or a causal language model."""

    rank: Annotated[int, Field(gt=0)] = 8
    """Rank of the adapters."""

    alpha: Annotated[float, Field(gt=0)] = 16.0
    """Scale of the adapters."""

    target_modules: list[str] | None = None
    """Which layers get adapters; by default the attention projections."""


class DistillSettings(FineTuneSettings):
    """A student trained on a teacher contestant's labels."""

    teacher: str
    """The contestant whose answers are learned."""

    unlabelled: str | None = None
    """A source of texts that the teacher labels."""

    temperature: Annotated[float, Field(gt=0)] = 2.0
    """Softens the teacher's scores."""

    alpha: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Weight of the teacher's labels against the given ones."""


class CascadeSettings(Settings):
    """A answers, B is asked where A is unsure."""

    main: ClassVar[str] = "members"

    members: Annotated[list[str], Field(min_length=2, max_length=2)]
    """The two contestants."""

    defer_below: Annotated[float, Field(ge=0, le=1)] | Literal["tuned"] | None = None
    """Ask B where A's top score is lower."""

    defer_share: Annotated[float, Field(ge=0, le=1)] | None = None
    """Ask B for this share of the rows, the least certain ones."""


class Later(Method):
    """Refused when the suite is read, so that nothing of it is ever asked for."""

    is_available: ClassVar[bool] = False

    def jobs(self, spec: ContestantSpec, desk: Desk) -> ContestantJobs:
        raise NotImplementedError

    def evidence(self, spec: ContestantSpec, found: Sequence[Any], known: Known) -> Evidence | None:
        raise NotImplementedError


class Lora(Later):
    key: ClassVar[str] = "lora"
    settings: ClassVar[type[Settings]] = LoraSettings


class Distill(Later):
    key: ClassVar[str] = "distill"
    settings: ClassVar[type[Settings]] = DistillSettings


class Cascade(Later):
    key: ClassVar[str] = "cascade"
    settings: ClassVar[type[Settings]] = CascadeSettings
