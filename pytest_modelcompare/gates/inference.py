"""Which test answers which question. `docs/statistics.md` gives the reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pytest_modelcompare.gates.combine import EvidenceByName, added, combined, scaled, side_of
from pytest_modelcompare.gates.no_spread import without_spread
from pytest_modelcompare.gates.on_rows import no_interval_for_ece, on_rows, successes
from pytest_modelcompare.gates.printed import ON_ROWS, against_printed, require_plain_comparison
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import LATENCY_QUANTILES, METRICS, MetricSpec, Need
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.metrics.own import own_metric
from pytest_modelcompare.metrics.own_figures import own_doubt
from pytest_modelcompare.records import Evidence, Inference
from pytest_modelcompare.statistics import latency
from pytest_modelcompare.statistics.influence import from_influence, proportion_of_seeds
from pytest_modelcompare.statistics.proportion import clustered_proportion

EXACT_WITHOUT_SPREAD = ("accuracy", "coverage", "auroc")
"""Metrics whose own tests hold where no row differs from another."""


def infer(question: Question, evidence: EvidenceByName, confidence: float, *, next_training: bool = False) -> Inference:
    """Test a question on the evidence; undecided where a metric of the project's own has no honest interval.

    Raises:
        GateError: it cannot be tested fairly.
    """
    found = inferred(question, evidence, confidence, next_training=next_training)
    if found.undecided_because:
        return found
    for metric in question.metrics:
        own, side = own_metric(metric.name), evidence[metric.contestant]
        if own is not None and side.published is None and (doubt := own_doubt(own, side)):
            return replace(found, undecided_because=doubt)
    return found


def inferred(question: Question, evidence: EvidenceByName, confidence: float, *, next_training: bool) -> Inference:
    """By the test that its metrics have."""
    sides = [side_of(metric, evidence) for metric in question.metrics]
    metric = question.metrics[0]
    spec = METRICS[metric.name]
    if question.is_difference and any(side.published for side in sides):
        return against_printed(question, evidence, confidence)
    require_plain_comparison(question, sides)
    one_figure = len(question.terms) == 1 and question.expression is None
    one_model_each = all(len(side.predictions) == 1 for side in sides)
    if one_model_each and not next_training and (one_figure or question.is_difference) and has_own_test(spec):
        if all(side.clusters is None for side in sides):
            on_all = on_rows(question, sides, confidence)
            if metric.name in EXACT_WITHOUT_SPREAD or (metric.label is not None and one_figure):
                return on_all
            return without_spread(on_all, combined(question, evidence), question, sides, confidence)
        clusters = sides[0].clusters
        if one_figure and clusters is not None and metric.name in ("accuracy", "coverage"):
            return clustered_proportion(successes(sides[0], metric.name), clusters, question.threshold, confidence)
    if metric.name == "ece":
        raise no_interval_for_ece()
    if spec.needs is Need.LATENCY and (found := on_requests(question, sides, confidence)) is not None:
        return found
    if metric.name == "break_even" and one_figure:
        return of_break_even(sides[0], evidence[str(metric.argument)], question.threshold, confidence)
    figure = combined(question, evidence)
    if one_figure and metric.name in ("accuracy", "coverage"):
        return proportion_of_seeds(figure, question.threshold, confidence, next_training=next_training)
    found = from_influence(figure, question.threshold, confidence, next_training=next_training)
    if figure.influence.shape[1] and all(METRICS[one.name].needs in ON_ROWS for one in question.metrics):
        return without_spread(found, figure, question, sides, confidence)
    return found


def has_own_test(spec: MetricSpec) -> bool:
    """Whether the test rows have a test made for this metric, better than its influence."""
    return spec.needs in ON_ROWS and not spec.own


def on_requests(question: Question, sides: list[Evidence], confidence: float) -> Inference | None:
    """Latency quantiles against a number, and one contestant's against a multiple of another's and a margin."""
    times = [side.latencies for side in sides]
    metric = question.metrics[0]
    quantile = LATENCY_QUANTILES[metric.name]
    if question.expression is not None or any(one is None for one in times):
        return None
    first = times[0]
    assert first is not None
    if len(sides) == 1 and quantile is not None:
        return latency.exceedance(first.milliseconds, first.blocks, quantile, question.threshold, confidence)
    if len(sides) == 2 and question.metrics[1].name == metric.name:
        second = times[1]
        assert second is not None
        factor = -question.terms[1].coefficient
        if factor > 0 and first.session == second.session:
            both = (first.milliseconds, first.blocks, second.milliseconds, second.blocks)
            return latency.block_comparison(*both, quantile, factor, question.threshold, confidence)
    return None


def of_break_even(small: Evidence, other: Evidence, threshold: float, confidence: float) -> Inference:
    """Predictions until the training is paid, through what a prediction saves.

    The training's cost is one figure, so `break_even <= N` says that a prediction saves at
    least train_cost / N: tested on the saving, which a sample bounds, as Fieller's theorem
    would; a saving that may be nothing gives an upper bound of infinity.
    """
    found = estimate("break_even", small, other=other)  # refuses what can never be paid back
    fixed = estimate("train_cost", small).value
    saving = added(scaled(estimate("cost_per_1k", other), 1e-3), scaled(estimate("cost_per_1k", small), -1e-3))
    tested = from_influence(saving, fixed / threshold if threshold > 0 else np.inf, confidence)
    low = fixed / tested.high if tested.high > 0 else np.inf
    high = fixed / tested.low if tested.low > 0 else np.inf
    return replace(
        tested,
        value=found.value,
        low=low,
        high=high,
        p_above=tested.p_below,
        p_below=tested.p_above,
        method=f"Fieller, {tested.method}",
    )
