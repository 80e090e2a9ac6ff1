"""How long predictions take, and from how many on a training has paid for itself."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.html.shared import Chart, colours, drawn, spans_decades, without
from pytest_modelcompare.reports.winners import figure

MOST_CROSSINGS = 20


def latency(suite: SuiteReport) -> Chart | None:
    """The distribution of the time per prediction."""
    place = colours(suite)
    rows = {name: row.latency_ms for name, row in drawn(suite).items() if len(row.latency_ms) > 1}
    if not rows:
        return None
    missing = [name for name in drawn(suite) if name not in rows]
    caption = (
        "Share of predictions that took at most so long, one row at a time, warm-up excluded; an LLM's as measured "
        f"when it was asked. Further left is faster, steeper is steadier.{without(missing, 'a timing')}"
    )
    series = [{"name": name, "colour": place[name], "values": values} for name, values in rows.items()]
    ends = [value for values in rows.values() for value in (values[0], values[-1])]
    return Chart("latency", "Latency", caption, {"series": series, "log": spans_decades(ends)})


@dataclass(frozen=True, slots=True)
class Spending:
    """What a contestant costs after any number of predictions."""

    name: str
    fixed: float
    """USD to train it again from nothing; 0 where nothing is trained."""

    per_prediction: float
    """USD."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """From how many predictions on one contestant has cost less than another."""

    cheaper: str
    than: str
    predictions: float


def spendings(suite: SuiteReport) -> list[Spending]:
    """The contestants whose whole cost is known."""
    found = []
    for name, row in drawn(suite).items():
        each, fixed = figure(row, "cost_per_1k"), figure(row, "train_cost")
        if each is not None and (fixed is not None or row.train_rows is None):
            found.append(Spending(name, fixed.value if fixed else 0.0, each.value / 1000))
    return found


def crossings(found: list[Spending]) -> list[Crossing]:
    """Every pair of which one costs more to make and less to run; the soonest first."""
    pairs = [(one, other) for one in found for other in found]
    crossed = [
        Crossing(one.name, other.name, (one.fixed - other.fixed) / (other.per_prediction - one.per_prediction))
        for one, other in pairs
        if one.fixed > other.fixed and one.per_prediction < other.per_prediction
    ]
    return sorted(crossed, key=lambda crossing: crossing.predictions)


def break_even(suite: SuiteReport) -> Chart | None:
    """Cost against the number of predictions."""
    found = spendings(suite)
    if len(found) < 2:
        return None
    place = colours(suite)
    missing = [name for name in drawn(suite) if name not in {one.name for one in found}]
    series = [
        {"name": one.name, "colour": place[one.name], "fixed": one.fixed, "each": one.per_prediction} for one in found
    ]
    caption = (
        "What each contestant has cost after so many predictions: its training once, then every prediction. "
        f"Where two lines cross, the dearer training has paid for itself.{without(missing, 'a price')}"
    )
    return Chart("break_even", "Break-even", caption, {"series": series})
