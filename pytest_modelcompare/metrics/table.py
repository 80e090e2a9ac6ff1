"""Every figure that a contestant can carry, with cheap intervals, for the table of the summary."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.metrics.own import own_metric
from pytest_modelcompare.metrics.own_figures import own_doubt
from pytest_modelcompare.records import Estimate, Evidence
from pytest_modelcompare.records.report import MetricReport
from pytest_modelcompare.statistics.influence import from_influence
from pytest_modelcompare.statistics.proportion import exact_proportion


def table_figures(evidence: Evidence, confidence: float = 0.95) -> dict[str, MetricReport]:
    """Metric name → figure with the bounds of its two one-sided intervals."""
    figures = {}
    for name, spec in METRICS.items():
        if spec.needs is Need.BREAK_EVEN:
            continue
        try:
            found = estimate(name, evidence)
        except GateError:
            continue  # this contestant cannot carry it: its cell stays blank
        if isfinite(found.value):
            figure = with_bounds(name, found, evidence, confidence)
            figures[name] = replace(figure, about=True) if is_about(spec.needs, evidence) else figure
    return figures


def is_about(need: Need, evidence: Evidence) -> bool:
    """Whether a figure rests on a moment's look at the clock."""
    if need is Need.LATENCY:
        return evidence.latencies is not None and evidence.latencies.extent == "look"
    local = need is Need.THROUGHPUT or (
        need is Need.COST and evidence.cost is not None and not evidence.cost.per_test_row
    )
    return local and evidence.throughput is not None and evidence.throughput.extent == "look"


def with_bounds(name: str, found: Estimate, evidence: Evidence, confidence: float) -> MetricReport:
    n, own = found.influence.shape[1], own_metric(name)
    if n == 0 or name == "ece" or (own is not None and own_doubt(own, evidence)):
        return MetricReport(found.value, n=n or None)
    if name in ("accuracy", "coverage") and len(found.seed_values) == 1 and found.clusters is None:
        exact = exact_proportion(round(found.value * n), n, 0.5, confidence)
        return MetricReport(found.value, exact.low, exact.high, n)
    if not found.influence.any():  # nothing varies, as where nothing is wrong: these bounds would claim certainty
        return MetricReport(found.value, n=n)
    inference = from_influence(found, 0.0, confidence)
    spec = METRICS[name]
    if not isfinite(inference.low) or not isfinite(inference.high):
        return MetricReport(found.value, n=n)
    return MetricReport(found.value, max(inference.low, spec.low), min(inference.high, spec.high), n)
