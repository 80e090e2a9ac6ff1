"""Metrics that a project adds: a value, and how much each row pulls at it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isnan

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics.catalogue import METRICS, MetricSpec, Need, add_metric, forget_metric

Floats = NDArray[np.float64]

NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = ("name", "compared", "beats", "matches", "does_not_regress")
"""What a contestant of the fixture `modelcompare` is asked for already."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One contestant's answers on the test rows, as an own metric sees them. The order of rows says nothing."""

    truth: NDArray[np.str_]
    """Shape (n,). The name of each row's label."""

    answers: NDArray[np.str_]
    """Shape (n,). The label that was answered; empty where none was, or no known one."""

    labels: tuple[str, ...]
    """The suite's labels, in their order."""

    scores: Floats | None = None
    """Shape (n, k), a column per label, rows sum to 1 and are uniform where a row has none.
    None unless the metric says `scores=True`."""

    def __len__(self) -> int:
        return len(self.truth)

    def picked(self, rows: NDArray[np.int64]) -> Answered:
        """Some of the rows, by number."""
        scores = None if self.scores is None else self.scores[rows]
        return replace(self, truth=self.truth[rows], answers=self.answers[rows], scores=scores)


Measure = Callable[[Answered], float | tuple[float, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class OwnMetric:
    """A metric that suites may name beside the built-in ones."""

    name: str
    """As in `contestant.name`: lower case letters, digits and _, a letter first."""

    definition: str
    """One sentence."""

    measure: Measure
    """The value; or the value and each row's influence on it, shape (n,), which sums to 0 and whose squares sum to
    the variance of the value. Of a mean it is (row - mean) / n. Where only the value is given, the influence is
    found by leaving rows out."""

    low: float = 0.0
    high: float = 1.0
    """The range; `float("inf")` where there is no end."""

    higher_is_better: bool = True
    unit: str = ""
    """E.g. "USD"; empty for a share."""

    scores: bool = False
    """Whether it reads `Answered.scores`; contestants without scores then cannot carry it."""


_added: dict[str, OwnMetric] = {}


def register(metric: OwnMetric) -> Callable[[], None]:
    """Make a metric known in this process.

    Returns:
        what makes it unknown again.

    Raises:
        GateError: its name is no name or is taken, its range is none.
    """
    if not NAME.fullmatch(metric.name) or metric.name in RESERVED:
        fix = f"lower case letters, digits and _, a letter first, and none of {', '.join(RESERVED)}"
        raise GateError(f"`{metric.name}` is no name for a metric", fix=fix)
    if metric.name in METRICS and metric.name not in _added:
        raise GateError(f"the metric `{metric.name}` is built in", fix="give yours another name")
    if isnan(metric.low) or isnan(metric.high) or not metric.low < metric.high:
        raise GateError(
            f"the metric `{metric.name}` has no range from {metric.low:g} to {metric.high:g}", fix="low < high"
        )
    needs = Need.SCORES if metric.scores else Need.ROWS
    direction = metric.higher_is_better
    add_metric(
        MetricSpec(metric.name, metric.definition, needs, metric.low, metric.high, direction, metric.unit, own=True)
    )
    _added[metric.name] = metric

    def forget() -> None:
        if _added.get(metric.name) is metric:
            del _added[metric.name]
            forget_metric(metric.name)

    return forget


def own_metric(name: str) -> OwnMetric | None:
    """The added metric of that name; None of a built-in one."""
    return _added.get(name)
