"""Everything known about one contestant on the test rows: what gates are judged from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_modelcompare.records.measurements import Footprint
from pytest_modelcompare.records.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from pytest_modelcompare.records.measurements import Cost, Latencies, Speed, Throughput
    from pytest_modelcompare.records.predictions import Predictions


@dataclass(frozen=True, slots=True)
class Published:
    """Numbers from a paper: no rows."""

    figures: Mapping[str, float]
    """Metric name → value."""

    source: str
    n: int | None = None
    """Test rows behind the figures, where the source says."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One contestant's answers, times and prices. Fields that were not measured are None."""

    name: str
    method: str
    """The suite's method key, e.g. "fine_tune"; for people, and no rule looks at it."""

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    """Shape (n,). The test rows' label numbers."""

    clusters: NDArray[np.int64] | None = None
    """Shape (n,). From the suite's `group`."""

    predictions: tuple[Predictions, ...] = ()
    """One per seed, in seed order; one for contestants without seeds; empty for `published`."""

    seeds: tuple[int, ...] = ()
    model: str | None = None
    machine: str | None = None
    """Where it was trained, in words."""

    trained_on: frozenset[tuple[str, str]] = frozenset()
    """Kind of device and machine of every training; train times and memory compare only within one machine."""

    shared_device: bool = False
    """Whether a training had others beside it, and took longer than alone."""

    latencies: Latencies | None = None
    throughput: Throughput | None = None
    footprint: Footprint = field(default_factory=Footprint)
    cost: Cost | None = None
    no_cost_because: str = ""
    """What is missing for a cost, as a hint, e.g. "the suite names no `compute: {price_per_hour, utilisation}`"."""

    train_cost_usd: float | None = None
    published: Published | None = None
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    """By what a gate names in parentheses: another device, a length in tokens, or both: "cpu", "128", "cpu, 128"."""

    not_timed: Mapping[str, str] = field(default_factory=dict)
    """By the same names, or "": why there is no such timing, e.g. "this machine has no cuda device"."""

    traits: Traits = field(default_factory=Traits)
    """What kind of contestant it is."""

    def on_rows(self, inside: NDArray[np.bool_]) -> Evidence:
        """The same contestant on a part of the test rows; what is not measured by row is left out."""
        predictions = tuple(
            replace(one, labels=one.labels[inside], scores=None if one.scores is None else one.scores[inside])
            for one in self.predictions
        )
        return replace(
            self,
            truth=self.truth[inside],
            clusters=None if self.clusters is None else self.clusters[inside],
            predictions=predictions,
            latencies=None,
            throughput=None,
            cost=None,
            no_cost_because="costs are not measured by slice",
        )
