"""What is wrong with one figure of a claim: unknown names, and figures that its contestant can never have."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pytest_modelcompare.gates.claims import Metric
from pytest_modelcompare.gates.places import DEVICES, place_of
from pytest_modelcompare.metrics.catalogue import METRICS, MetricSpec, Need
from pytest_modelcompare.records.hints import did_you_mean, first_few

MOST_NAMES = 12
"""Known ones, in a message."""

NOT_AVAILABLE = "is not available in this version"
TRAINED = frozenset({Need.FOOTPRINT, Need.TRAIN_COST, Need.BREAK_EVEN, Need.THROUGHPUT})
BY_DEVICE = frozenset({Need.LATENCY, Need.THROUGHPUT, Need.COST})
"""Needs whose figures are measured on a device; beside them `inference_memory_mb`."""

ELSEWHERE = ("predictions", "prompt", "published")
"""Methods of which nothing runs here."""


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


def unknown(kind: str, name: str, known: Collection[str], column: int) -> GateIssue:
    """An unknown name, with the nearest known one."""
    hint = did_you_mean(name, known) or f"known: {first_few(list(known), MOST_NAMES)}"
    return GateIssue(f"unknown {kind} `{name}`", column, max(len(name), 1), hint)
