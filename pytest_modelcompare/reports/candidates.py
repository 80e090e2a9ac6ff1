"""Who could be shipped, how accurate it is and what it costs."""

from __future__ import annotations

from dataclasses import replace

from pytest_modelcompare.methods.registry import traits_of
from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.limits import ACCURACY, COST, Limits


def candidates(suite: SuiteReport) -> dict[str, ContestantReport]:
    """What could be shipped: measured, no member of a sweep beside its plain name, no printed figure."""
    return {
        name: row
        for name, row in ((name, with_numbers(row)) for name, row in suite.contestants.items())
        if row.member_of is None and traits_of(row.method).has_rows and ACCURACY in row.metrics
    }


def with_numbers(row: ContestantReport) -> ContestantReport:
    """Without figures that a stored report says null for, because they were not finite."""
    return replace(row, metrics={name: figure for name, figure in row.metrics.items() if figure.value is not None})


def accuracy(row: ContestantReport) -> float:
    return row.metrics[ACCURACY].value


def price(row: ContestantReport, limits: Limits) -> float | None:
    """USD per 1,000 predictions, or with a volume USD a month; None where it is not known."""
    cost = row.metrics.get(COST)
    if cost is None or limits.per_month is None:
        return None if cost is None else cost.value
    trained = fixed_cost(row)
    return None if trained is None else trained + cost.value * limits.per_month / 1000


def fixed_cost(row: ContestantReport) -> float | None:
    """USD to train it once; None where it is not known."""
    trained = row.metrics.get("train_cost")
    return trained.value if trained is not None else 0.0 if traits_of(row.method).is_answered_elsewhere else None
