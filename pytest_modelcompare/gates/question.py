"""A claim as one question: does a combination of metrics lie above (or below) a threshold?"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_modelcompare.gates.claims import (
    Arithmetic,
    Beats,
    Claim,
    Comparison,
    DoesNotRegress,
    Expression,
    Matches,
    Metric,
    Number,
    metrics_in,
)
from pytest_modelcompare.metrics.catalogue import METRICS, MetricSpec


@dataclass(frozen=True, slots=True)
class Term:
    """A metric with its coefficient."""

    metric: Metric
    coefficient: float

    @property
    def spec(self) -> MetricSpec:
        return METRICS[self.metric.name]


@dataclass(frozen=True, slots=True)
class Question:
    """Σ coefficient x metric, against a threshold."""

    terms: tuple[Term, ...]
    threshold: float
    above: bool
    """True: the claim is that it lies above."""

    strict: bool
    """Whether equality breaks the claim; matters for exact figures only."""

    expression: Expression | None = None
    """Set where the claim is not linear; then `terms` only lists the metrics."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(term.metric for term in self.terms)

    @property
    def is_difference(self) -> bool:
        """A.m - B.m of one metric: tested on the rows both answered."""
        if self.expression is not None or len(self.terms) != 2:
            return False
        first, second = self.terms
        same = (first.metric.name, first.metric.label) == (second.metric.name, second.metric.label)
        return same and first.coefficient == 1 and second.coefficient == -1

    def opponents(self) -> list[str]:
        """Contestants whose weakness would help the claim."""
        if len({metric.contestant for metric in self.metrics}) < 2:
            return []
        if self.expression is not None:  # which way each side pulls is not plain: any of them may be the baseline
            return list(dict.fromkeys(metric.contestant for metric in self.metrics))
        direction = 1 if self.above else -1
        return [
            term.metric.contestant
            for term in self.terms
            if direction * term.coefficient * (1 if term.spec.higher_is_better else -1) < 0
        ]


def question_of(claim: Claim) -> Question:
    """The question that a claim asks.

    A sentence is about the difference in the metric's own direction, so that more is better.
    """
    if isinstance(claim, Comparison):
        return of_comparison(claim)
    assert not isinstance(claim, DoesNotRegress)
    a, b = claim.measure.of(claim.a), claim.measure.of(claim.b)
    first, second = (a, b) if METRICS[a.name].higher_is_better else (b, a)
    threshold = claim.by if isinstance(claim, Beats) else -claim.within
    assert isinstance(claim, Beats | Matches)
    return Question((Term(first, 1.0), Term(second, -1.0)), threshold, above=True, strict=True)


def of_comparison(claim: Comparison) -> Question:
    above, strict = claim.op[0] == ">", len(claim.op) == 1
    whole = Arithmetic("-", claim.left, claim.right)
    form = linear(whole)
    if form is None:
        terms = tuple(Term(metric, 1.0) for metric in dict.fromkeys(metrics_in(whole)))
        return Question(terms, 0.0, above, strict, whole)
    coefficients, constant = form
    coefficients = {metric: value for metric, value in coefficients.items() if value != 0}
    if not coefficients:
        return Question((), -constant, above, strict)
    # the first metric's coefficient becomes 1: `0.9 <= a.accuracy` asks what `a.accuracy >= 0.9` asks
    scale = next(iter(coefficients.values()))
    terms = tuple(Term(metric, value / scale) for metric, value in coefficients.items())
    threshold = -constant / scale
    return Question(terms, threshold + 0.0, above if scale > 0 else not above, strict)


def linear(expression: Expression) -> tuple[dict[Metric, float], float] | None:
    """Coefficients and constant of a linear expression, else None."""
    if isinstance(expression, Number):
        return {}, expression.value
    if isinstance(expression, Metric):
        return {expression: 1.0}, 0.0
    left, right = linear(expression.left), linear(expression.right)
    if left is None or right is None:
        return None
    if expression.op in "+-":
        sign = 1.0 if expression.op == "+" else -1.0
        merged = dict(left[0])
        for metric, value in right[0].items():
            merged[metric] = merged.get(metric, 0.0) + sign * value
        return merged, left[1] + sign * right[1]
    if expression.op == "*" and not left[0]:
        left, right = right, left
    if right[0] or (expression.op == "/" and right[1] == 0):
        return None
    factor = right[1] if expression.op == "*" else 1 / right[1]
    return {metric: value * factor for metric, value in left[0].items()}, left[1] * factor
