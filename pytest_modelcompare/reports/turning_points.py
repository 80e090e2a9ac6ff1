"""From which volume or limit of latency on another contestant is the one to ship."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.candidates import candidates, fixed_cost
from pytest_modelcompare.reports.limits import COST, LATENCY, Limits, Standing, bounds_of, checked
from pytest_modelcompare.reports.recommendation import choose


@dataclass(frozen=True, slots=True)
class Turn:
    """From a limit or a volume on, another contestant is the choice."""

    start: float
    choice: str | None


def latency_turns(suite: SuiteReport, limits: Limits) -> list[Turn]:
    """The choice under every limit of latency, from the strictest on; a contestant fits from its upper bound on."""
    rows = candidates(suite)
    known = [bounds_of(LATENCY, row.metrics[LATENCY])[1] for row in rows.values() if LATENCY in row.metrics]
    starts = [0.0, *sorted({one for one in known if one < inf})]
    return turns(starts, lambda start: shown_choice(rows, replace(limits, max_latency_ms=start)))


def volume_turns(suite: SuiteReport, limits: Limits) -> list[Turn]:
    """The choice at every volume a month: it turns where two contestants cost the same."""
    rows = candidates(suite)
    lines = []
    for row in rows.values():
        fixed, cost = fixed_cost(row), row.metrics.get(COST)
        if fixed is not None and cost is not None:
            lines.append((fixed, cost.value / 1000))
    crossings = {
        (one[0] - two[0]) / (two[1] - one[1]) for one in lines for two in lines if one[1] < two[1] and one[0] > two[0]
    }
    starts = [0.0, *sorted(crossings)]
    return turns(starts, lambda start: shown_choice(rows, replace(limits, per_month=start * (1 + 1e-9))))


def shown_choice(rows: Mapping[str, ContestantReport], limits: Limits) -> str | None:
    """The choice among those shown to keep to the limits."""
    checks = {name: checked(row, limits) for name, row in rows.items()}
    kept = [name for name, own in checks.items() if all(one.standing is Standing.WITHIN for one in own)]
    return choose(kept, rows, limits)[0] if kept else None


def turns(starts: Sequence[float], choice_at: Callable[[float], str | None]) -> list[Turn]:
    """Only where the choice becomes another."""
    found: list[Turn] = []
    for start in starts:
        choice = choice_at(start)
        if not found or found[-1].choice != choice:
            found.append(Turn(start, choice))
    return found
