"""`published: {accuracy: 0.59, …}`: numbers from a paper, no rows."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.settings import Settings


class PublishedSettings(Settings):
    """Printed figures. A comparison with them is unpaired."""

    main: ClassVar[str] = "figures"

    figures: Annotated[dict[str, float], Field(min_length=1)]
    """Metric → value, in the metric's own unit."""

    source: Annotated[str, Field(min_length=1)]
    """Where the figures stand: a citation or an address. Required."""

    n: Annotated[int, Field(gt=0)] | None = None
    """Test rows behind the figures; without it they are taken as exact, which favours nobody knows whom."""

    @field_validator("figures")
    @classmethod
    def in_range(cls, figures: dict[str, float]) -> dict[str, float]:
        for name, value in figures.items():
            spec = METRICS.get(name)
            if spec is None:
                raise ValueError(f"unknown metric `{name}`")
            if not spec.low <= value <= spec.high:
                raise ValueError(f"`{name}` lies between {spec.low:g} and {spec.high:g}, not at {value:g}")
        return figures
