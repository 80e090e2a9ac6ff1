"""What several charts of a page need: who is drawn, in which colour, and what could not be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_modelcompare.records.report import ContestantReport, SuiteReport


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture of the page."""

    kind: str
    """The function in `static/` that draws it."""

    title: str
    caption: str
    """How to read it, in a sentence or two."""

    data: dict[str, Any]
    """JSON types: what the function draws."""

    choices: list[str] = field(default_factory=list)
    """What a reader may choose from, where not everything fits into one picture."""

    height: int = 360
    """Pixels."""


def drawn(suite: SuiteReport) -> dict[str, ContestantReport]:
    """The contestants that charts show: of a sweep the plain name, which is its best member."""
    return {name: row for name, row in suite.contestants.items() if row.member_of is None}


def colours(suite: SuiteReport) -> dict[str, int]:
    """Each contestant's place in the palette, the same in every chart."""
    return {name: place for place, name in enumerate(drawn(suite))}


def without(names: list[str], what: str) -> str:
    """A sentence on who is not in the picture; empty if all are."""
    return f" Not drawn, for want of {what}: {', '.join(names)}." if names else ""


def spans_decades(values: list[float]) -> bool:
    """Whether a logarithmic axis shows more."""
    return bool(values) and min(values) > 0 and max(values) / min(values) >= 20
