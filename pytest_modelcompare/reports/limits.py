"""Stated limits, held to a contestant's measured figures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from pytest_modelcompare.methods.registry import traits_of
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.records.report import ContestantReport, MetricReport

LATENCY, COST, SIZE, ACCURACY = "latency_p95_ms", "cost_per_1k", "size_mb", "accuracy"
"""Methods that nothing is trained for: their weights, if any, are stored elsewhere."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the choice must keep to; None: no limit."""

    max_latency_ms: float | None = None
    """Of the 95th percentile."""

    max_cost_per_1k: float | None = None
    max_size_mb: float | None = None
    min_accuracy: float | None = None
    per_month: float | None = None
    """Predictions a month; with it, training once a month is part of the price."""

    within: float = 0.01
    """Accuracy that may be given up for a lower price."""

    def of(self, metric: str) -> float | None:
        limits = {
            LATENCY: self.max_latency_ms,
            COST: self.max_cost_per_1k,
            SIZE: self.max_size_mb,
            ACCURACY: self.min_accuracy,
        }
        return limits[metric]


class Standing(StrEnum):
    """How a figure stands to a limit."""

    WITHIN = "within"
    BROKEN = "broken"
    UNSHOWN = "not shown"
    UNMEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Check:
    """One limit held to one contestant."""

    metric: str
    limit: float
    figure: MetricReport | None
    standing: Standing


def checked(row: ContestantReport, limits: Limits) -> tuple[Check, ...]:
    """Every limit that was stated and concerns it."""
    metrics = (
        (LATENCY, COST, ACCURACY) if traits_of(row.method).is_answered_elsewhere else (LATENCY, COST, SIZE, ACCURACY)
    )
    asked = [(metric, limits.of(metric)) for metric in metrics]
    return tuple(check(metric, limit, row.metrics.get(metric)) for metric, limit in asked if limit is not None)


def check(metric: str, limit: float, figure: MetricReport | None) -> Check:
    if figure is None:
        return Check(metric, limit, None, Standing.UNMEASURED)
    low, high = bounds_of(metric, figure)
    better, worse = (low, high) if METRICS[metric].higher_is_better else (-high, -low)
    at_least = limit if METRICS[metric].higher_is_better else -limit
    standing = Standing.WITHIN if better >= at_least else Standing.BROKEN if worse < at_least else Standing.UNSHOWN
    return Check(metric, limit, figure, standing)


def bounds_of(metric: str, figure: MetricReport) -> tuple[float, float]:
    """A figure's interval; sizes, and costs that do not vary, are exact, and of others without one nothing is known."""
    if figure.low is not None and figure.high is not None:
        return figure.low, figure.high
    return (figure.value, figure.value) if metric in (SIZE, COST) else (-inf, inf)
