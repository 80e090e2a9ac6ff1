"""Arithmetic between estimates: the chain rule on their influence."""

from __future__ import annotations

import numpy as np

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.claims import Arithmetic, Expression, Metric, Number
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.records import Estimate, Evidence

EvidenceByName = dict[str, Evidence]


def estimate_of(metric: Metric, evidence: EvidenceByName) -> Estimate:
    """The estimate behind `contestant.metric`."""
    other = evidence.get(metric.argument) if metric.argument else None
    return estimate(metric.name, evidence[metric.contestant], metric.label, other)


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
    return Estimate(part.value * factor, part.influence * factor, part.seed_values * factor, part.clusters, part.unit)


def added(a: Estimate, b: Estimate) -> Estimate:
    """a + b. On one kind of rows they pair; on different ones their errors are independent."""
    influence, clusters, unit = joined(a, b)
    a_seeds, b_seeds = spread_seeds(a.seed_values, b.seed_values)
    return Estimate(a.value + b.value, influence, a_seeds + b_seeds, clusters, unit)


def joined(a: Estimate, b: Estimate) -> tuple[np.ndarray, np.ndarray | None, str]:
    """The sum of two influences."""
    if b.influence.shape[1] == 0:
        return a.influence, a.clusters, a.unit
    if a.influence.shape[1] == 0:
        return b.influence, b.clusters, b.unit
    left, right = spread_seeds(a.influence, b.influence)
    if a.unit == b.unit == "test rows":
        return left + right, a.clusters if a.clusters is not None else b.clusters, a.unit
    apart = np.concatenate([left, right], axis=1)
    if a.clusters is None and b.clusters is None:
        return apart, None, f"{a.unit} and {b.unit}"
    clusters_a = np.arange(left.shape[1]) if a.clusters is None else a.clusters
    clusters_b = np.arange(right.shape[1]) if b.clusters is None else b.clusters
    return apart, np.concatenate([clusters_a, clusters_b + int(clusters_a.max()) + 1]), f"{a.unit} and {b.unit}"


def spread_seeds(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Side by side by seed: one seed stands against each of the other's; of two recipes the k-th against the k-th."""
    if len(a) == len(b) or len(a) == 1 or len(b) == 1:
        size = max(len(a), len(b))
        return np.broadcast_to(a, (size, *a.shape[1:])), np.broadcast_to(b, (size, *b.shape[1:]))
    raise GateError(
        f"{len(a)} seeds are compared with {len(b)}",
        fix="give both contestants as many `seeds`, or one of them a single one",
    )


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
    influence, clusters, unit = joined(scaled(a, slope_a), scaled(b, slope_b))
    a_seeds, b_seeds = spread_seeds(a.seed_values, b.seed_values)
    seeds = a_seeds * b_seeds if expression.op == "*" else a_seeds / b_seeds
    value = a.value * b.value if expression.op == "*" else a.value / b.value
    return Estimate(value, influence, np.asarray(seeds, float), clusters, unit)
