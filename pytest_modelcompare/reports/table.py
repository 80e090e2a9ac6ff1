"""The table of contestants: which columns there are, and what stands in each cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pytest_modelcompare.records.report import ContestantReport, MetricReport, SuiteReport
from pytest_modelcompare.reports.numbers import count, decimals_supported, milliseconds, share, usd
from pytest_modelcompare.reports.winners import figure

Cell = Callable[[ContestantReport], str]
BLANK = "–"
WORDS = ("from", "method")
"""Columns that hold no number."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    title: str
    cell: Cell
    least_width: int = 0
    """Terminal width from which the column is shown."""

    metric: str | None = None
    """By which the best of the column is marked."""


def columns_of(suite: SuiteReport, width: int | None = None) -> tuple[Column, ...]:
    """All columns, or those that a terminal has room for; shares are rounded to what their intervals support."""
    quality, ranking = shares_of(suite, "accuracy"), shares_of(suite, "auroc")
    columns = (
        Column("accuracy", metric("accuracy", partial(bounded, shown=quality)), 0, "accuracy"),
        Column("F1", plain("f1", quality), 0, "f1"),
        Column("AUROC", plain("auroc", ranking), 0, "auroc"),
        Column("p50/p95 ms", p50_p95, 0, "latency_p95_ms"),
        Column("USD/1k", plain("cost_per_1k", usd), 0, "cost_per_1k"),
        Column("trained", trained_in, 90),
        Column("from", origin),
        Column("method", lambda row: row.method, 110),
        Column("parameters", plain("parameters", count), 110),
        Column("MB", plain("size_mb", lambda value: f"{value:.1f}"), 140, "size_mb"),
        Column("rows/s", plain("throughput_per_s", lambda value: f"{value:,.0f}"), 140, "throughput_per_s"),
    )
    return tuple(column for column in columns if width is None or width >= column.least_width)


def shares_of(suite: SuiteReport, metric: str) -> Callable[[float], str]:
    """How a metric between 0 and 1 is printed in this suite: one number of decimals for the whole column."""
    found = [figure(row, metric) for row in (*suite.contestants.values(), *suite.references.values())]
    widths = [(one.high - one.low) / 2 for one in found if one and one.low is not None and one.high is not None]
    return partial(share, decimals=decimals_supported(widths))


def metric(name: str, shown: Callable[[MetricReport], str]) -> Cell:
    """A cell for one metric; blank where the contestant cannot carry it."""

    def cell(row: ContestantReport) -> str:
        found = figure(row, name)
        return BLANK if found is None else shown(found)

    return cell


def plain(name: str, shown: Callable[[float], str]) -> Cell:
    """A cell for one metric without its interval."""
    return metric(name, lambda found: shown(found.value))


def bounded(found: MetricReport, shown: Callable[[float], str]) -> str:
    if found.low is None or found.high is None:
        return shown(found.value)
    return f"{shown(found.value)} ({shown(found.low)}–{shown(found.high)})"


def p50_p95(row: ContestantReport) -> str:
    p50, p95 = figure(row, "latency_p50_ms"), figure(row, "latency_p95_ms")
    return BLANK if p50 is None or p95 is None else f"{milliseconds(p50.value)} / {milliseconds(p95.value)}"


def trained_in(row: ContestantReport) -> str:
    found = figure(row, "train_seconds")
    return BLANK if found is None or found.value == 0 else f"{found.value:.1f} s"


def origin(row: ContestantReport) -> str:
    if row.method in ("published", "reference"):
        return row.method
    if row.method == "predictions":
        return "recorded"
    return "stored" if row.stored else "new"
