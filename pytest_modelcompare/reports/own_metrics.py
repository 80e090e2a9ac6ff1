"""Metrics that a project added, as columns of a table: from the report alone, without the conftest that added them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.numbers import decimals_supported, share
from pytest_modelcompare.reports.winners import figure


def own_metrics(suite: SuiteReport) -> list[str]:
    """Their names, those first that a gate names."""
    sentences = " ".join(gate.gate for gate in suite.gates)
    return sorted(suite.own_metrics, key=lambda name: not re.search(rf"\b{re.escape(name)}\b", sentences))


def shown(suite: SuiteReport, name: str) -> Callable[[float], str]:
    """How its figures are printed: one number of decimals for the whole column."""
    decimals = decimals_of(suite, name)
    return partial(amount, decimals=decimals) if suite.own_metrics[name].unit else partial(share, decimals=decimals)


def decimals_of(suite: SuiteReport, metric: str) -> int:
    """Decimals that the intervals of a column support."""
    found = [figure(row, metric) for row in (*suite.contestants.values(), *suite.references.values())]
    widths = [(one.high - one.low) / 2 for one in found if one and one.low is not None and one.high is not None]
    return decimals_supported(widths)


def amount(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}"
