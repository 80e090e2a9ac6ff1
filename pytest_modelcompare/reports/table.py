"""The table of contestants: which columns there are, and what stands in each cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_modelcompare.records.report import ContestantReport, MetricReport
from pytest_modelcompare.reports.numbers import count, milliseconds, share, usd

Cell = Callable[[ContestantReport], str]
BLANK = "–"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table."""

    title: str
    cell: Cell
    least_width: int
    """Terminal width from which the column is shown."""


def metric(name: str, shown: Callable[[MetricReport], str]) -> Cell:
    """A cell for one metric; blank where the contestant cannot carry it."""

    def cell(row: ContestantReport) -> str:
        figure = row.metrics.get(name)
        return BLANK if figure is None else shown(figure)

    return cell


def accuracy(figure: MetricReport) -> str:
    if figure.low is None or figure.high is None:
        return share(figure.value)
    return f"{share(figure.value)} ({share(figure.low)}–{share(figure.high)})"


def p50_p95(row: ContestantReport) -> str:
    p50, p95 = row.metrics.get("latency_p50_ms"), row.metrics.get("latency_p95_ms")
    return BLANK if p50 is None or p95 is None else f"{milliseconds(p50.value)} / {milliseconds(p95.value)}"


def trained_in(row: ContestantReport) -> str:
    figure = row.metrics.get("train_seconds")
    return BLANK if figure is None or figure.value == 0 else f"{figure.value:.1f} s"


def origin(row: ContestantReport) -> str:
    if row.method in ("published", "reference"):
        return row.method
    if row.method == "predictions":
        return "recorded"
    return "stored" if row.stored else "new"


COLUMNS = (
    Column("accuracy", metric("accuracy", accuracy), 0),
    Column("F1", metric("f1", lambda figure: share(figure.value)), 0),
    Column("AUROC", metric("auroc", lambda figure: share(figure.value)), 0),
    Column("p50/p95 ms", p50_p95, 0),
    Column("USD/1k", metric("cost_per_1k", lambda figure: usd(figure.value)), 0),
    Column("trained", trained_in, 90),
    Column("from", origin, 0),
    Column("method", lambda row: row.method, 110),
    Column("parameters", metric("parameters", lambda figure: count(figure.value)), 110),
    Column("MB", metric("size_mb", lambda figure: f"{figure.value:.1f}"), 140),
    Column("rows/s", metric("throughput_per_s", lambda figure: f"{figure.value:,.0f}"), 140),
)


def columns_for(width: int) -> tuple[Column, ...]:
    return tuple(column for column in COLUMNS if width >= column.least_width)
