"""`published: {accuracy: 0.59, …}`: numbers from a paper, no rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from pytest_modelcompare.methods.base import ContestantJobs, ContestantSpec, Desk, Known, Method
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.records import Published as Figures
from pytest_modelcompare.records.traits import Traits
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


class Published(Method):
    """Nothing is done: the figures stand in the suite."""

    key: ClassVar[str] = "published"
    settings: ClassVar[type[Settings]] = PublishedSettings
    traits: ClassVar[Traits] = Traits(has_rows=False)

    def figures(self, settings: PublishedSettings) -> frozenset[str]:
        return frozenset(settings.figures)

    def jobs(self, spec: ContestantSpec, desk: Desk) -> ContestantJobs:  # noqa: ARG002
        return ContestantJobs()

    def evidence(self, spec: ContestantSpec, found: Sequence[Any], known: Known) -> Evidence:  # noqa: ARG002
        settings, dataset = spec.settings, known.dataset
        assert isinstance(settings, PublishedSettings)
        figures = Figures(settings.figures, settings.source, settings.n)
        return Evidence(
            spec.name, spec.method, dataset.labels, dataset.test.labels, traits=self.traits, published=figures
        )
