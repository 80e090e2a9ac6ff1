"""The page's table of contestants: every column that anyone can fill, the best of each marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.numbers import count, milliseconds, share, usd
from pytest_modelcompare.reports.own_metrics import own_metrics, shown
from pytest_modelcompare.reports.table import BLANK, marked, origin, shares_of
from pytest_modelcompare.reports.winners import competing, winners


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as it is set."""

    text: str
    interval: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant's line."""

    name: str
    about: str
    """Method and model."""

    kind: str
    """contestant, member (of a sweep) or reference."""

    colour: int | None
    cells: list[Cell]
    origin: str


def seconds(value: float) -> str:
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def megabytes(value: float) -> str:
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def whole(value: float) -> str:
    return f"{value:,.0f}"


COLUMNS: tuple[tuple[str, str, Callable[[float], str], bool], ...] = (
    ("accuracy", "accuracy", share, True),
    ("F1", "f1", share, True),
    ("AUROC", "auroc", share, False),
    ("log-loss", "log_loss", share, False),
    ("ECE", "ece", share, False),
    ("coverage", "coverage", share, False),
    ("p50 ms", "latency_p50_ms", milliseconds, False),
    ("p95 ms", "latency_p95_ms", milliseconds, False),
    ("rows/s", "throughput_per_s", whole, False),
    ("USD/1k", "cost_per_1k", usd, False),
    ("train USD", "train_cost", usd, False),
    ("train s", "train_seconds", seconds, False),
    ("MB", "size_mb", megabytes, False),
    ("weights", "parameters", count, False),
)
"""Title, metric, how it is printed, whether its interval is."""


def filled(suite: SuiteReport) -> list[tuple[str, str, Callable[[float], str], bool]]:
    """The columns that anyone fills; metrics that the project added stand after accuracy."""
    rows = [*suite.contestants.values(), *suite.references.values()]
    quality = shares_of(suite, "accuracy")
    own = [(name, name, shown(suite, name), True) for name in own_metrics(suite)]
    return [
        (heading, metric, quality if text is share and bounds else text, bounds)
        for heading, metric, text, bounds in (COLUMNS[0], *own, *COLUMNS[1:])
        if tells(metric, [found.value for row in rows if (found := competing(row, metric))])
    ]


def tells(metric: str, values: list[float]) -> bool:
    """Whether a column says anything: a coverage that is whole everywhere does not."""
    return bool(values) and not (metric == "coverage" and min(values) == 1)


def titles(suite: SuiteReport) -> list[str]:
    return [heading for heading, *_ in filled(suite)]


def table_rows(suite: SuiteReport, place: dict[str, int]) -> list[Row]:
    """Contestants in suite order, then the reference lines.

    Args:
        place: each contestant's place in the palette.
    """
    columns = filled(suite)
    best = {metric: winners(suite, metric) for _, metric, _, _ in columns}

    def row(name: str, of: ContestantReport, kind: str) -> Row:
        cells = [
            cell(of, metric, text, bounds, name in best[metric] and kind != "reference")
            for _, metric, text, bounds in columns
        ]
        shown_name = name if of.member_of is None else name.removeprefix(of.member_of)[1:-1]
        about = of.model if kind == "reference" and of.model else f"{of.method}: {of.model}" if of.model else of.method
        about = "" if kind == "member" else about
        return Row(shown_name, about, kind, place.get(name), cells, origin(of))

    found = [row(name, of, "member" if of.member_of else "contestant") for name, of in suite.contestants.items()]
    return found + [row(name, of, "reference") for name, of in suite.references.items()]


def cell(row: ContestantReport, metric: str, text: Callable[[float], str], bounds: bool, best: bool) -> Cell:
    found = competing(row, metric)
    if found is None:
        return Cell(BLANK)
    known = bounds and found.low is not None and found.high is not None
    interval = f"{text(found.low)}–{text(found.high)}" if known else ""  # type: ignore[arg-type]
    return Cell(marked(text(found.value), found), interval, best)
