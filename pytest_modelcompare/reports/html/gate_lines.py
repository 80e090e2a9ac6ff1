"""A gate as the page sets it: its line, the picture of its interval, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from pytest_modelcompare.records.report import GateReport
from pytest_modelcompare.reports.gate_details import details, part_line
from pytest_modelcompare.reports.headline import said
from pytest_modelcompare.reports.numbers import plural

MARGIN = 0.12
"""Of the picture's width, left and right of what it shows."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An interval against its threshold, places in percent of the width."""

    low: float
    high: float
    value: float
    threshold: float
    text: str


@dataclass(frozen=True, slots=True)
class GateLine:
    """One gate of the page."""

    gate: GateReport
    message: str
    picture: Picture | None
    facts: list[tuple[str, str]]
    flips: int
    """Rows that flipped; 0: none are listed."""

    behind: list[str]
    """What stands below a gate that does not hold: parts of the rows, some of those that flipped."""


def gate_line(gate: GateReport) -> GateLine:
    flipped = gate.flipped or {}
    flips = flipped.get("left_alone", 0) + flipped.get("right_alone", 0)
    behind = details(gate) if gate.outcome in ("fail", "undecided") else []
    return GateLine(gate, said(gate), picture(gate), facts(gate), flips, behind)


def picture(gate: GateReport) -> Picture | None:
    """None where nothing was tested, or a bound is not finite."""
    found, threshold = gate.difference, gate.threshold
    if not gate.tested or found is None or threshold is None:
        return None
    shown = (found["low"], found["high"], found["value"], threshold)
    if any(number is None or not isfinite(number) for number in shown):
        return None
    least, most = min(shown), max(shown)
    width = (most - least) or 1.0
    low, high, value, at = (round(100 * (MARGIN + (1 - 2 * MARGIN) * (number - least) / width), 2) for number in shown)
    text = f"{found['value']:.4g} ({found['low']:.4g} to {found['high']:.4g}), threshold {threshold:.4g}"
    return Picture(low, high, value, at, text)


def facts(gate: GateReport) -> list[tuple[str, str]]:
    """How it was judged, as terms and what they are."""
    found = [("about", gate.target), ("test", gate.method or gate.test)]
    if gate.tested and gate.difference is not None:
        found.append(("bounds", f"each at {gate.confidence:.0%}, one-sided"))
    for term, p in (("p, claim false", gate.p_pass), ("p, claim true", gate.p_fail), ("p, Holm", gate.p_holm)):
        found += [(term, f"{p:.2g}")] if p is not None else []
    if gate.n is not None:
        worth = f", worth {gate.n_effective:,.0f} independent ones" if gate.n_effective else ""
        found.append(("n", f"{gate.n:,}{worth}"))
    if gate.unpaired:
        found.append(("pairing", "two samples: the test rows changed"))
    if gate.looks is not None:
        found.append(("looks", str(gate.looks)))
    if against := gate.against:
        first = f"first {against['first_value']:.4g} on {against['first_date'][:10]}"
        found.append(("accepted", f"{against['value']:.4g} on {against['date'][:10]}; {first}"))
    if judged := gate.judged:
        models = plural(judged["models"], "distinct model")
        found.append(("judged on these rows", f"{judged['times']:,} times, {models}, since {judged['since'][:10]}"))
    found += [("part of the rows", part_line(part)) for part in gate.parts]
    return [(term, text) for term, text in found if text]
