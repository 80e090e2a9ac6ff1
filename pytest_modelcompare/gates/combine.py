"""Arithmetic between estimates: the chain rule on their influence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.claims import Arithmetic, Expression, Metric, Number
from pytest_modelcompare.gates.needs import others_of
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.metrics.measured import TEST_ROWS, timed_at
from pytest_modelcompare.records import Estimate, Evidence

EvidenceByName = dict[str, Evidence]
ONCE = "trained once"
"""The side of whatever has no seeds to vary over."""


def estimate_of(metric: Metric, evidence: EvidenceByName) -> Estimate:
    """The estimate behind `contestant.metric`."""
    other = evidence.get(metric.argument) if metric.argument else None
    return estimate(metric.name, side_of(metric, evidence), metric.label, other)


def side_of(metric: Metric, evidence: EvidenceByName) -> Evidence:
    """What is known of a metric's contestant; with `(cpu)` or `(128)`, with the times measured there.

    Raises:
        GateError: it was not timed there.
    """
    side = evidence[metric.contestant]
    return side if metric.argument is None or others_of(metric) else timed_at(side, metric.argument)


def combined(question: Question, evidence: EvidenceByName) -> Estimate:
    """The tested quantity of a question."""
    if question.expression is not None:
        return evaluated(question.expression, evidence)
    parts = [scaled(estimate_of(term.metric, evidence), term.coefficient) for term in question.terms]
    total = parts[0]
    for part in parts[1:]:
        total = added(total, part)
    return total


def constant(value: float) -> Estimate:
    return Estimate(value, np.zeros((1, 0)), np.array([value]))


def scaled(part: Estimate, factor: float) -> Estimate:
    return replace(
        part,
        value=part.value * factor,
        influence=part.influence * factor,
        seed_values=part.seed_values * factor,
    )


def added(a: Estimate, b: Estimate) -> Estimate:
    """a + b. On one kind of rows they pair; on different ones their errors are independent.

    Seeds of one contestant add up seed by seed; those of two are two recipes, each with a scatter of its own;
    what was trained once, or not at all, adds up in one row.
    """
    value = a.value + b.value
    if b.influence.shape[1] == 0 or a.influence.shape[1] == 0:  # one of them is exact
        return replace(a if b.influence.shape[1] == 0 else b, value=value)
    left, right, whole = side_by_side(a, b)
    rows: dict[tuple[str, int], tuple[np.ndarray, float]] = {}
    for part, matrix in ((a, left), (b, right)):
        for key, influence, seed_value in zip(seeds_of(part), matrix, part.seed_values, strict=True):
            known = rows.get(key)
            rows[key] = (influence, seed_value) if known is None else (known[0] + influence, known[1] + seed_value)
    return replace(
        whole,
        value=value,
        influence=np.stack([influence for influence, _ in rows.values()]),
        seed_values=np.array([seed_value for _, seed_value in rows.values()]),
        sides=tuple(side for side, _ in rows),
    )


def seeds_of(part: Estimate) -> list[tuple[str, int]]:
    """Recipe and number of each seed; a recipe of one seed goes with everything else that does not vary."""
    sides = part.sides or ("",) * len(part.seed_values)
    counts = Counter(sides)
    numbers: Counter[str] = Counter()
    found = []
    for side in sides:
        name = side if counts[side] > 1 else ONCE
        found.append((name, numbers[name]))
        if name != ONCE:
            numbers[name] += 1
    return found


def side_by_side(a: Estimate, b: Estimate) -> tuple[np.ndarray, np.ndarray, Estimate]:
    """Both influences over the same columns, and what is said of these."""
    if a.unit == b.unit == TEST_ROWS:
        return a.influence, b.influence, a if a.clusters is not None else b
    widths = (a.influence.shape[1], b.influence.shape[1])
    left = np.pad(a.influence, ((0, 0), (0, widths[1])))
    right = np.pad(b.influence, ((0, 0), (widths[0], 0)))
    clusters = None
    if a.clusters is not None or b.clusters is not None:
        first = np.arange(widths[0]) if a.clusters is None else a.clusters
        second = np.arange(widths[1]) if b.clusters is None else b.clusters
        clusters = np.concatenate([first, second + int(first.max()) + 1])
    kinds = (a.segments or widths[:1]) + (b.segments or widths[1:])
    return left, right, replace(a, clusters=clusters, unit=f"{a.unit} and {b.unit}", segments=kinds)


def evaluated(expression: Expression, evidence: EvidenceByName) -> Estimate:
    """An expression that is not linear, by the delta method."""
    if isinstance(expression, Number):
        return constant(expression.value)
    if isinstance(expression, Metric):
        return estimate_of(expression, evidence)
    assert isinstance(expression, Arithmetic)
    a, b = evaluated(expression.left, evidence), evaluated(expression.right, evidence)
    if expression.op == "+":
        return added(a, b)
    if expression.op == "-":
        return added(a, scaled(b, -1.0))
    if expression.op == "/" and b.value == 0:
        raise GateError("a division by zero", fix=f"`{expression.right}` is 0 on these rows")
    slope_a, slope_b = (b.value, a.value) if expression.op == "*" else (1 / b.value, -a.value / b.value**2)
    value = a.value * b.value if expression.op == "*" else a.value / b.value
    if not np.isfinite([value, slope_a, slope_b]).all():
        raise GateError(f"`{expression}` is no finite number on these rows", fix="look at the size of its numbers")
    return replace(added(scaled(a, slope_a), scaled(b, slope_b)), value=value)
