"""Measured figures against published ones, which have an error and a rounding of their own."""

from __future__ import annotations

from dataclasses import replace

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.combine import EvidenceByName
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.records import Estimate, Evidence, Inference
from pytest_modelcompare.statistics.influence import from_influence, proportion_of_seeds, spread_of
from pytest_modelcompare.statistics.proportion import effective_clusters
from pytest_modelcompare.statistics.published import (
    Bounds,
    constant,
    difference_of,
    of_agreeing_rows,
    of_proportion,
)

ON_ROWS = (Need.ROWS, Need.SCORES)


def require_plain_comparison(question: Question, sides: list[Evidence]) -> None:
    """A published figure on rows has its own sampling error and rounding, which only a plain difference counts."""
    on_rows_only = all(METRICS[metric.name].needs in ON_ROWS for metric in question.metrics)
    if len(sides) > 1 and on_rows_only and any(side.published for side in sides):
        raise GateError(
            "arithmetic with a published figure would take it for free of error",
            fix="compare it plainly: `A beats B on accuracy by 0.01`, or `A.accuracy >= B.accuracy + 0.01`",
        )


def half_of_the_last_digit(printed: float) -> float:
    """How far the true value of a printed figure may lie from it: 0.0005 for 0.943.

    A number does not know its trailing zeros: 0.9 is taken for 0.90.
    """
    digits = len(repr(printed).partition(".")[2]) if "e" not in repr(printed) else 0
    return 0.5 * 10.0 ** -max(digits, 2)


def against_printed(question: Question, evidence: EvidenceByName, confidence: float) -> Inference:
    """A measured figure against a published one, or two published ones."""
    sides = [evidence[metric.contestant] for metric in question.metrics]
    figures = [estimate(metric.name, side, metric.label) for metric, side in zip(question.metrics, sides, strict=True)]
    printed = 1 if sides[1].published is not None else 0
    ours, theirs = figures[1 - printed], figures[printed]
    source = sides[printed].published
    assert source is not None
    n = ours.influence.shape[1]
    own = from_influence(ours, 0.0, confidence)
    threshold = question.threshold if printed == 1 else -question.threshold
    rounding = half_of_the_last_digit(theirs.value)
    unfavourable = theirs.value + (rounding if (printed == 1) == question.above else -rounding)
    measured = bounds_of(ours, question.metrics[0].name) if n else constant(ours.value)
    is_share = source.n is not None and 0 <= unfavourable <= 1
    their_bounds = of_proportion(unfavourable, source.n) if is_share and source.n else constant(unfavourable)
    found = difference_of(ours.value, unfavourable, measured, their_bounds, threshold, confidence, n)
    method = found.method if is_share else "against the printed figure"
    found = replace(found, method=method, undecided_because=own.undecided_because, notes=own.notes)
    if printed == 1:
        return found
    return replace(
        found, value=-found.value, low=-found.high, high=-found.low, p_above=found.p_below, p_below=found.p_above
    )


def bounds_of(figure: Estimate, metric: str) -> Bounds:
    """One-sided bounds of a measured figure at any confidence, seeds and groups included."""
    spread = spread_of(figure)
    n = figure.influence.shape[1] if figure.clusters is None else effective_clusters(figure.clusters)
    if metric in ("accuracy", "coverage"):

        def of_share(confidence: float) -> tuple[float, float]:
            found = proportion_of_seeds(figure, 0.5, confidence)
            return found.low, found.high

        return of_share
    if spread.variance == 0:
        return of_agreeing_rows(figure.value, n)

    def of_figure(confidence: float) -> tuple[float, float]:
        found = from_influence(figure, 0.0, confidence)
        return found.low, found.high

    return of_figure
