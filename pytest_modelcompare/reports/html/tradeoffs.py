"""Accuracy against what it costs, in money and in time, and who is beaten by nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.html.shared import Chart, colours, drawn, spans_decades, without
from pytest_modelcompare.reports.numbers import milliseconds, share, usd
from pytest_modelcompare.reports.winners import figure


@dataclass(frozen=True, slots=True)
class Point:
    """One contestant in the picture."""

    name: str
    x: float
    """What it costs: lower is better."""

    y: float
    """Accuracy."""

    low: float | None
    high: float | None
    colour: int
    x_text: str
    y_text: str


@dataclass(frozen=True, slots=True)
class Price:
    """What a contestant's accuracy is set against."""

    metric: str
    title: str
    axis: str
    lacks: str
    shown: Callable[[float], str]


COST = Price("cost_per_1k", "Accuracy against cost", "USD per 1,000 predictions", "a price", usd)
LATENCY = Price("latency_p50_ms", "Accuracy against latency", "median latency, ms", "a timing", milliseconds)


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """Those that no other one beats in one respect without losing in the other, cheapest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda one: (one.x, -one.y)):
        if not front or point.y > front[-1].y:
            front.append(point)
    return front


def tradeoff(suite: SuiteReport, price: Price) -> Chart | None:
    """The chart; None where fewer than two contestants have both figures."""
    points, missing = [], []
    place = colours(suite)
    for name, row in drawn(suite).items():
        cost, accuracy = figure(row, price.metric), figure(row, "accuracy")
        if cost is None or accuracy is None:
            missing.append(name)
            continue
        texts = price.shown(cost.value), share(accuracy.value)
        points.append(Point(name, cost.value, accuracy.value, accuracy.low, accuracy.high, place[name], *texts))
    if len(points) < 2:
        return None
    front = pareto_front(points)
    names = ", ".join(point.name for point in front)
    caption = (
        f"Up and to the left is better. On the line, the Pareto front: {names}; each of the others is matched or "
        f"beaten in both by one of these, by value.{without(missing, price.lacks)}"
    )
    data = {
        "points": [asdict(point) for point in points],
        "front": [[point.x, point.y] for point in front],
        "axis": price.axis,
        "log": spans_decades([point.x for point in points]),
        "lines": [
            {"name": name, "y": one.value} for name, row in suite.references.items() if (one := figure(row, "accuracy"))
        ],
    }
    return Chart("tradeoff", price.title, caption, data)
