"""How far two contestants' accuracies are apart, from a report alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import hypot

from scipy.special import ndtri

from pytest_modelcompare.records.report import ContestantReport
from pytest_modelcompare.reports.limits import ACCURACY, bounds_of


@dataclass(frozen=True, slots=True)
class Gap:
    """One contestant's accuracy less another's."""

    value: float
    low: float
    high: float
    paired: bool
    """False: from the two intervals, as if the rows had nothing to do with each other."""


Gaps = Callable[[str, str, float], Gap]
"""(a, b, confidence of each bound) → the accuracy of a less that of b."""


def unpaired_gaps(rows: Mapping[str, ContestantReport], confidence: float) -> Gaps:
    """Differences from the intervals of a report (MOVER), widened to the confidence that is asked for."""

    def gap(a: str, b: str, level: float) -> Gap:
        one, two = rows[a].metrics[ACCURACY], rows[b].metrics[ACCURACY]
        value, wider = one.value - two.value, float(ndtri(level) / ndtri(confidence))
        (low, high), (other_low, other_high) = bounds_of(ACCURACY, one), bounds_of(ACCURACY, two)
        down, up = hypot(one.value - low, other_high - two.value), hypot(high - one.value, two.value - other_low)
        return Gap(value, value - wider * down, value + wider * up, paired=False)

    return gap
