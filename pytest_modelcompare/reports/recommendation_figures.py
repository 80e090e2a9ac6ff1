"""Figures, limits and differences of a recommendation in words."""

from __future__ import annotations

from math import inf

from pytest_modelcompare.records.report import ContestantReport
from pytest_modelcompare.reports.candidates import price
from pytest_modelcompare.reports.gaps import Gap
from pytest_modelcompare.reports.limits import ACCURACY, COST, LATENCY, SIZE, Check, Limits, bounds_of
from pytest_modelcompare.reports.numbers import milliseconds, usd

NAMES = {LATENCY: "95th percentile of latency", COST: "cost", SIZE: "size", ACCURACY: "accuracy"}
FIGURES = {ACCURACY: "accuracy ", LATENCY: "p95 ", COST: "", SIZE: ""}
UNITS = {LATENCY: " ms", COST: " USD per 1,000", SIZE: " MB"}


def shown(metric: str, value: float) -> str:
    """A figure with its unit."""
    if metric == ACCURACY:
        return f"{value:.3f}"
    number = milliseconds(value) if metric == LATENCY else usd(value) if metric == COST else f"{value:,.1f}"
    return f"{number}{UNITS[metric]}"


def figures(row: ContestantReport, limits: Limits) -> str:
    """The figures that count, with their intervals."""
    found = []
    for metric in (ACCURACY, LATENCY, COST, SIZE):
        if (figure := row.metrics.get(metric)) is not None:
            low, high = bounds_of(metric, figure)
            between = f" ({low:.3f} to {high:.3f})" if metric == ACCURACY and low > -inf else ""
            found.append(f"{FIGURES[metric]}{shown(metric, figure.value)}{between}")
    monthly = price(row, limits) if limits.per_month is not None else None
    return ", ".join(found) + (f", {usd(monthly)} USD a month" if monthly is not None else "")


def difference(gap: Gap) -> str:
    how = "same rows" if gap.paired else "from the two intervals, unpaired"
    return f"{gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}, {how})"


def held(one: Check) -> str:
    """`95th percentile of latency 12.0 to 14.1 ms, at most 25 ms`."""
    assert one.figure is not None
    low, high = bounds_of(one.metric, one.figure)
    value = shown(one.metric, one.figure.value)
    between = f" ({shown(one.metric, low)} to {shown(one.metric, high)})" if low < high else ""
    return f"{NAMES[one.metric]} {value}{between}, {side(one.metric)} {shown(one.metric, one.limit)}"


def side(metric: str) -> str:
    return "at least" if metric == ACCURACY else "at most"


def unit(limits: Limits) -> str:
    return " per 1,000" if limits.per_month is None else " a month"
