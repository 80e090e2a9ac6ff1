"""What is wrong with a claim before anything runs: unknown names, thresholds out of range, figures nobody can have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pytest_modelcompare.gates.check_metric import Abilities, GateIssue, check_metric
from pytest_modelcompare.gates.claims import (
    Arithmetic,
    Claim,
    Comparison,
    DoesNotRegress,
    Expression,
    Matches,
    Metric,
    Number,
    metrics_of,
)
from pytest_modelcompare.gates.places import place_of
from pytest_modelcompare.metrics.catalogue import METRICS, MetricSpec, Need

LASTING = ("size_mb", "parameters")
"""Figures beside those of the rows that two sessions agree on."""


def check(claim: Claim, contestants: Mapping[str, Abilities], labels: Collection[str] | None = None) -> list[GateIssue]:
    """Every issue of a claim.

    Args:
        labels: the suite's labels where they are known before the data is read.
    """
    issues = [issue for metric in metrics_of(claim) for issue in check_metric(metric, contestants, labels)]
    if isinstance(claim, DoesNotRegress):
        issues += check_regression(claim, contestants)
    elif isinstance(claim, Comparison):
        issues += check_comparison(claim)
    else:
        margin = claim.within if isinstance(claim, Matches) else claim.by
        issues += check_margin(margin, claim.measure.name, claim.measure.column)
        if claim.a == claim.b:
            issues.append(GateIssue(f"`{claim.a}` is compared with itself", claim.b_column, len(claim.b)))
    # a name that stands on both sides of a sentence is one mistake
    return list(dict.fromkeys(issues))


def check_regression(claim: DoesNotRegress, contestants: Mapping[str, Abilities]) -> Iterator[GateIssue]:
    """What was measured in another session does not compare; what was printed does not change."""
    name, column = claim.measure.name, claim.measure.column
    spec = METRICS.get(name)
    if spec is not None and spec.needs not in (Need.ROWS, Need.SCORES) and name not in LASTING:
        hint = "hold what is read off the test rows, or size_mb or parameters; bound times and costs by a number"
        yield GateIssue(f"`{name}` of another session is no baseline", column, len(name), hint)
    if claim.a in contestants and contestants[claim.a].method == "published":
        yield GateIssue(f"`{claim.a}` is published and never changes", claim.column, len(claim.a))
    if claim.within is not None:
        yield from check_margin(claim.within, name, column)


def check_comparison(claim: Comparison) -> Iterator[GateIssue]:
    """Something must be measured, units must agree, a threshold must lie in the metric's range."""
    if not metrics_of(claim):
        yield GateIssue(
            "nothing here is measured", claim.column, 1, "name a contestant's metric, e.g. `small.accuracy`"
        )
    for metric, number in ((claim.left, claim.right), (claim.right, claim.left)):
        if isinstance(metric, Metric) and isinstance(number, Number) and metric.name in METRICS:
            yield from check_range(METRICS[metric.name], number)
    lengths = {place_length(metric) for metric in metrics_of(claim) if is_latency(metric)}
    if len(lengths) > 1:
        yield GateIssue(
            "latencies on texts of different lengths are compared",
            claim.column,
            1,
            "name the same length on both sides, or none",
        )
    left, right = unit_of(claim.left), unit_of(claim.right)
    if left and right and left != right:
        yield GateIssue(f"{left} is compared with {right}", claim.column, 1, "compare figures of one unit")


def is_latency(metric: Metric) -> bool:
    return metric.name in METRICS and METRICS[metric.name].needs is Need.LATENCY


def place_length(metric: Metric) -> int | None:
    """Tokens per text that a latency names; None also where the argument is wrong, which is said elsewhere."""
    try:
        return place_of(metric.argument).length if metric.argument else None
    except ValueError:
        return None


def unit_of(expression: Expression) -> str | None:
    """The unit of an expression, as far as it is plain: of a metric, or a metric times or over a number."""
    if isinstance(expression, Metric):
        spec = METRICS.get(expression.name)
        return None if spec is None else spec.unit or "a share"
    if isinstance(expression, Arithmetic):
        sides = {unit_of(expression.left), unit_of(expression.right)} - {None}
        if expression.op in "+-" and len(sides) == 1:
            return sides.pop()
        if expression.op in "*/" and isinstance(expression.right, Number):
            return unit_of(expression.left)
        if expression.op == "*" and isinstance(expression.left, Number):
            return unit_of(expression.right)
    return None


def check_range(spec: MetricSpec, number: Number) -> Iterator[GateIssue]:
    if spec.low <= number.value <= spec.high:
        return
    hint = None
    if spec.high == 1 and 1 < number.value <= 100:
        hint = f"did you mean {number.value / 100:.2f}?"
    width = len(f"{number.value:g}")
    yield GateIssue(f"`{spec.name}` lies between {spec.low:g} and {spec.high:g}", number.column, width, hint)


def check_margin(margin: float, name: str, column: int) -> Iterator[GateIssue]:
    spec = METRICS.get(name)
    if margin < 0:
        yield GateIssue("the margin is negative", column, len(name), "a margin is how much better, 0 or more")
    elif spec is not None and margin > spec.high - spec.low:
        hint = f"did you mean {margin / 100:g}?" if spec.high == 1 else None
        yield GateIssue(f"no two values of `{spec.name}` differ by {margin:g}", column, len(name), hint)
