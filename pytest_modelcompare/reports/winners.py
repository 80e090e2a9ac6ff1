"""Which contestant is best in a column of the table."""

from __future__ import annotations

from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.records.report import ContestantReport, MetricReport, SuiteReport

SAME = 1e-9
"""Values closer than this, relative to the best, are one."""

TRAINING = ("train_cost", "train_seconds")


def figure(row: ContestantReport, metric: str) -> MetricReport | None:
    """A contestant's figure; None where it has none (a stored report says null where it was not finite)."""
    found = row.metrics.get(metric)
    return None if found is None or found.value is None else found


def competing(row: ContestantReport, metric: str) -> MetricReport | None:
    """A contestant's figure; what trains nothing has neither a time nor a price of training to win by."""
    found = figure(row, metric)
    return None if found is not None and metric in TRAINING and found.value == 0 else found


def higher_is_better(suite: SuiteReport, metric: str) -> bool:
    """A stored report says it of metrics that its project added: nobody else knows them."""
    own = suite.own_metrics.get(metric)
    return METRICS[metric].higher_is_better if own is None else own.higher_is_better


def winners(suite: SuiteReport, metric: str) -> frozenset[str]:
    """The contestants with the best value, several where some are equal; none where most are.

    By value alone: whether the difference could be luck is for a gate to say. Reference
    lines do not compete.
    """
    values = {name: found.value for name, row in suite.contestants.items() if (found := competing(row, metric))}
    if not values:
        return frozenset()
    best = (max if higher_is_better(suite, metric) else min)(values.values())
    shared = frozenset(name for name, value in values.items() if abs(value - best) <= SAME * max(abs(best), SAME))
    return shared if len(shared) <= len(values) / 2 else frozenset()
