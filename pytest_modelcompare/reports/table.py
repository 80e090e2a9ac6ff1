"""The table of contestants: which columns there are, and what stands in each cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pytest_modelcompare.records.report import ContestantReport, MetricReport, SuiteReport
from pytest_modelcompare.reports.numbers import count, milliseconds, share, usd
from pytest_modelcompare.reports.own_metrics import decimals_of, own_metrics, shown
from pytest_modelcompare.reports.winners import figure

Cell = Callable[[ContestantReport], str]
BLANK = "–"
ABOUT = "~"
LEGEND_OF_ABOUT = f"{ABOUT} timed for a moment: no gate asks for it"
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

    gives_way: int = 0
    """The column with the highest number goes first where a terminal is too narrow for all; 0: it stays."""


def columns_of(suite: SuiteReport, width: int | None = None) -> tuple[Column, ...]:
    """All columns, or those that a terminal has room for; shares are rounded to what their intervals support."""
    quality, ranking = shares_of(suite, "accuracy"), shares_of(suite, "auroc")
    columns = (
        Column("accuracy", metric("accuracy", partial(bounded, text=quality)), 0, "accuracy"),
        *own_columns(suite),
        Column("F1", plain("f1", quality), 0, "f1", 3),
        Column("AUROC", plain("auroc", ranking), 0, "auroc", 4),
        Column("p50/p95 ms", p50_p95, 0, "latency_p95_ms", 1),
        Column("USD/1k", plain("cost_per_1k", usd), 0, "cost_per_1k", 1),
        Column("trained", trained_in, 90, gives_way=5),
        Column("from", origin),
        Column("method", lambda row: row.method, 110, gives_way=6),
        Column("parameters", plain("parameters", count), 110, gives_way=7),
        Column("MB", plain("size_mb", lambda value: f"{value:.1f}"), 140, "size_mb", 8),
        Column("rows/s", plain("throughput_per_s", lambda value: f"{value:,.0f}"), 140, "throughput_per_s", 9),
    )
    return tuple(column for column in columns if width is None or width >= column.least_width)


def own_columns(suite: SuiteReport) -> list[Column]:
    """A column for each metric that the project added; the first of them stays in the narrowest table."""
    return [
        Column(name, plain(name, shown(suite, name)), 0, name, gives_way=2 if place else 0)
        for place, name in enumerate(own_metrics(suite))
    ]


def shares_of(suite: SuiteReport, metric: str) -> Callable[[float], str]:
    """How a metric between 0 and 1 is printed in this suite: one number of decimals for the whole column."""
    return partial(share, decimals=decimals_of(suite, metric))


def metric(name: str, text: Callable[[MetricReport], str]) -> Cell:
    """A cell for one metric; blank where the contestant cannot carry it."""

    def cell(row: ContestantReport) -> str:
        found = figure(row, name)
        return BLANK if found is None else text(found)

    return cell


def plain(name: str, text: Callable[[float], str]) -> Cell:
    """A cell for one metric without its interval."""
    return metric(name, lambda found: marked(text(found.value), found))


def marked(text: str, found: MetricReport) -> str:
    """A figure that was measured for a moment is about right."""
    return f"{ABOUT}{text}" if found.about else text


def bounded(found: MetricReport, text: Callable[[float], str]) -> str:
    if found.low is None or found.high is None:
        return text(found.value)
    return f"{text(found.value)} ({text(found.low)}–{text(found.high)})"


def p50_p95(row: ContestantReport) -> str:
    p50, p95 = figure(row, "latency_p50_ms"), figure(row, "latency_p95_ms")
    if p50 is None or p95 is None:
        return BLANK
    return marked(f"{milliseconds(p50.value)}/{milliseconds(p95.value)}", p50)


def some_are_about(suite: SuiteReport) -> bool:
    """Whether a figure of the table was measured for a moment alone."""
    return any(found.about for row in suite.contestants.values() for found in row.metrics.values())


def trained_in(row: ContestantReport) -> str:
    found = figure(row, "train_seconds")
    return BLANK if found is None or found.value == 0 else f"{found.value:.1f} s"


def origin(row: ContestantReport) -> str:
    if row.method in ("published", "reference"):
        return row.method
    if row.method == "predictions":
        return "recorded"
    return "stored" if row.stored else "new"
