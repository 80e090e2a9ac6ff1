"""What is wrong with a claim before anything runs: unknown names, thresholds out of range, figures nobody can have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

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
from pytest_modelcompare.gates.places import DEVICES, place_of
from pytest_modelcompare.metrics.catalogue import METRICS, MetricSpec, Need

NOT_AVAILABLE = "is not available in this version"
TRAINED = frozenset({Need.FOOTPRINT, Need.TRAIN_COST, Need.BREAK_EVEN, Need.THROUGHPUT})
BY_DEVICE = frozenset({Need.LATENCY, Need.THROUGHPUT, Need.COST})
"""Needs whose figures are measured on a device; beside them `inference_memory_mb`."""

ELSEWHERE = ("predictions", "prompt", "published")
"""Methods of which nothing runs here."""

LASTING = ("size_mb", "parameters")
"""Figures beside those of the rows that two sessions agree on."""


@dataclass(frozen=True, slots=True)
class GateIssue:
    """One thing wrong in a sentence."""

    message: str
    column: int
    """1-based, within the sentence."""

    width: int
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a contestant of the suite can carry at all."""

    method: str
    figures: frozenset[str] = frozenset()
    """Of `published`: the figures it names."""


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


def check_metric(
    metric: Metric, contestants: Mapping[str, Abilities], labels: Collection[str] | None
) -> Iterator[GateIssue]:
    """Names that do not exist, and figures that this contestant can never have."""
    if metric.contestant not in contestants:
        yield unknown("contestant", metric.contestant, contestants, metric.column)
    spec = METRICS.get(metric.name)
    column = metric.name_column or metric.column + len(metric.contestant) + 1
    if spec is None:
        yield unknown("metric", metric.name, METRICS, column)
        return
    if metric.label is not None:
        if not spec.per_label:
            yield GateIssue(
                f"`{spec.name}` is not defined for one label",
                column,
                len(spec.name),
                "f1, precision, recall, auroc and average_precision are",
            )
        elif labels is not None and metric.label not in labels:
            yield unknown("label", metric.label, labels, column + len(metric.name) + 1)
    yield from check_argument(metric, spec, contestants, column)
    abilities = contestants.get(metric.contestant)
    if abilities is not None and (reason := never_carries(abilities, spec)):
        yield GateIssue(f"`{metric.contestant}` can have no `{spec.name}`: {reason}", metric.column, len(str(metric)))


def check_argument(
    metric: Metric, spec: MetricSpec, contestants: Mapping[str, Abilities], column: int
) -> Iterator[GateIssue]:
    """`(OTHER)` of break_even; `(cpu)`, `(128)` and `(cpu, 128)` of what is timed here."""
    if spec.needs is Need.BREAK_EVEN:
        if metric.argument is None:
            yield GateIssue(
                "`break_even` needs the other contestant", column, len(spec.name), "write break_even(OTHER)"
            )
        elif metric.argument not in contestants:
            yield unknown("contestant", metric.argument, contestants, column + len(spec.name) + 1)
    elif metric.argument is not None:
        yield from check_place(metric, metric.argument, spec, contestants.get(metric.contestant), column)


def check_place(
    metric: Metric, argument: str, spec: MetricSpec, abilities: Abilities | None, column: int
) -> Iterator[GateIssue]:
    """A device or a length that is none, or of a figure that has none."""
    try:
        place = place_of(argument)
    except ValueError as error:
        yield unknown("device", str(error), DEVICES, column + len(spec.name) + 1)
        return
    if spec.needs not in BY_DEVICE and spec.name != "inference_memory_mb":
        hint = "latency_…_ms, throughput_per_s, tokens_per_s, inference_memory_mb and costs are"
        yield GateIssue(f"`{spec.name}` is not measured by device", column, len(spec.name), hint)
    elif place.length is not None and spec.needs is not Need.LATENCY:
        yield GateIssue(
            f"`{spec.name}` is measured on the test rows as they are",
            column,
            len(spec.name),
            "a length is for latency_…_ms",
        )
    elif abilities is not None and abilities.method in ELSEWHERE:
        hint = f"write `{metric.contestant}.{spec.name}`"
        yield GateIssue(f"`{metric.contestant}` does not run on a device of this machine", column, len(spec.name), hint)


def never_carries(abilities: Abilities, spec: MetricSpec) -> str | None:
    """Why a method can never carry a metric."""
    method = abilities.method
    if method == "published":
        return None if spec.name in abilities.figures else "it publishes no such figure"
    if method in ("predictions", "prompt") and spec.needs in TRAINED:
        return "nothing of it is trained or runs here"
    return None


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


def unknown(kind: str, name: str, known: Collection[str], column: int) -> GateIssue:
    """An unknown name, with the nearest known one."""
    near = get_close_matches(name, list(known), 1)
    names = ", ".join(list(known)[:12]) + (", …" if len(known) > 12 else "")
    hint = f"did you mean `{near[0]}`?" if near else f"known: {names}"
    return GateIssue(f"unknown {kind} `{name}`", column, max(len(name), 1), hint)
