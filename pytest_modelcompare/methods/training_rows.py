"""`train:` and `sweep:`, the options of every contestant that is trained."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, model_validator

from pytest_modelcompare.data.subsets import Subset
from pytest_modelcompare.settings import NotYet, Settings

SIZES = ("rows", "fraction", "per_class")
"""Of `train:`; one of them at a time. As `train.rows` and so on they can be swept."""


class TrainSettings(Settings):
    """How much of the training rows a contestant learns from. The smaller sample is inside the larger."""

    main: ClassVar[str] = ""

    rows: int | None = Field(default=None, ge=1)
    """So many rows; every label keeps its share."""

    fraction: float | None = Field(default=None, gt=0, le=1)
    """This share of the rows; every label keeps its share."""

    per_class: int | None = Field(default=None, ge=1)
    """So many rows of each label; all rows of a label that has fewer."""

    synthetic: Annotated[dict[str, Any] | None, NotYet()] = None
    """Rows that another contestant wrote: `{by: CONTESTANT, per_class: N}`."""

    seed: int = Field(default=0, ge=0)
    """Seed of the sample; the same for every seed of the training."""

    @model_validator(mode="after")
    def one_size(self) -> TrainSettings:
        if len(self.sizes) > 1:
            raise ValueError(f"`{'` and `'.join(self.sizes)}` are two sizes: keep one")
        return self

    @property
    def sizes(self) -> list[str]:
        """The sizes that are given."""
        return [name for name in SIZES if getattr(self, name) is not None]

    def subset(self) -> Subset | None:
        return Subset(self.rows, self.fraction, self.per_class, self.seed) if self.sizes else None


class TrainedOptions(BaseModel):
    """What every trained contestant takes beside its own options."""

    train: TrainSettings | None = None
    """Learn from a part of the training rows: `{rows: 500}`, `{fraction: 0.25}` or `{per_class: 50}`."""

    sweep: dict[str, list[Any]] | None = None
    """Option → values: one member per combination; the plain name stands for the member best on validation."""
