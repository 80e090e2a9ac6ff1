"""Which test answers which question. `docs/statistics.md` gives the reasons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.combine import EvidenceByName, combined
from pytest_modelcompare.gates.no_spread import without_spread
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import LATENCY_QUANTILES, METRICS, Need
from pytest_modelcompare.metrics.classification import confusion_statistic
from pytest_modelcompare.metrics.estimate import estimate, label_number, require_scores
from pytest_modelcompare.metrics.ranking import brier_rows, filled_scores, log_loss_rows
from pytest_modelcompare.records import Evidence, Inference
from pytest_modelcompare.statistics import auroc, latency, means
from pytest_modelcompare.statistics.bootstrap import bca
from pytest_modelcompare.statistics.f_measure import exact_f1
from pytest_modelcompare.statistics.influence import from_influence
from pytest_modelcompare.statistics.paired import paired_accuracy
from pytest_modelcompare.statistics.proportion import clustered_proportion, exact_proportion
from pytest_modelcompare.statistics.published import against_published

ON_ROWS = (Need.ROWS, Need.SCORES)
MEASURED_ONCE = ("train_seconds", "train_memory_mb", "inference_memory_mb", "train_cost")


def infer(question: Question, evidence: EvidenceByName, confidence: float, *, next_training: bool = False) -> Inference:
    """Test a question on the evidence.

    Raises:
        GateError: it cannot be tested fairly.
    """
    sides = [evidence[metric.contestant] for metric in question.metrics]
    metric = question.metrics[0]
    spec = METRICS[metric.name]
    require_one_place(question, sides)
    if question.is_difference and any(side.published for side in sides):
        return against_printed(question, evidence, confidence)
    require_plain_comparison(question, sides)
    one_figure = len(question.terms) == 1 and question.expression is None
    one_model_each = all(len(side.predictions) == 1 for side in sides)
    if spec.needs in ON_ROWS and one_model_each and not next_training and (one_figure or question.is_difference):
        if all(side.clusters is None for side in sides):
            return on_rows(question, sides, confidence)
        clusters = sides[0].clusters
        if one_figure and clusters is not None and metric.name in ("accuracy", "coverage"):
            return clustered_proportion(successes(sides[0], metric.name), clusters, question.threshold, confidence)
    if metric.name == "ece":
        raise no_interval_for_ece()
    if spec.needs is Need.LATENCY and (found := on_requests(question, sides, confidence)) is not None:
        return found
    figure = combined(question, evidence)
    found = from_influence(figure, question.threshold, confidence, next_training=next_training)
    if figure.influence.shape[1] and all(METRICS[one.name].needs in ON_ROWS for one in question.metrics):
        return without_spread(found, figure, question, sides, confidence)
    return found


def no_interval_for_ece() -> GateError:
    return GateError(
        "ece has no honest interval: estimated from a sample it is biased upwards",
        fix="gate on brier or log_loss, or give this gate `decide: point`",
    )


def on_rows(question: Question, sides: list[Evidence], confidence: float) -> Inference:
    """One or two trained models on the test rows, no clusters."""
    metric = question.metrics[0]
    truth, labels = sides[0].truth, sides[0].labels
    label = label_number(sides[0], metric.label)
    answers = tuple(side.predictions[0].labels for side in sides)
    threshold = question.threshold
    if METRICS[metric.name].needs is Need.SCORES:
        return on_scores(question, sides, label, confidence)
    if metric.name in ("accuracy", "coverage"):
        right = [successes(side, metric.name) for side in sides]
        if len(sides) == 2:
            return paired_accuracy(right[0], right[1], threshold, confidence)
        return exact_proportion(int(right[0].sum()), len(truth), threshold, confidence)
    if label is not None and len(sides) == 1:
        return of_one_label(metric.name, truth == label, answers[0] == label, threshold, confidence)
    if label is not None and metric.name == "recall":
        ours = truth == label
        if not ours.any():
            raise GateError(f"no test row is labelled {metric.label}", fix="gate on a label that the test rows have")
        return paired_accuracy(answers[0][ours] == label, answers[1][ours] == label, threshold, confidence)
    influence = [estimate(metric.name, side, metric.label).influence[0] for side in sides]
    tested = influence[0] if len(sides) == 1 else influence[0] - influence[1]
    statistic = confusion_statistic(metric.name, label)
    return bca(truth, answers, statistic, len(labels), threshold, confidence, tested, label=label)


def successes(side: Evidence, metric: str) -> np.ndarray:
    answer = side.predictions[0].labels
    result: np.ndarray = answer >= 0 if metric == "coverage" else answer == side.truth
    return result


def of_one_label(metric: str, true: np.ndarray, answered: np.ndarray, threshold: float, confidence: float) -> Inference:
    """F1, precision or recall of one label against a number: exact on the rows that matter."""
    tp, fp, fn = int((true & answered).sum()), int((~true & answered).sum()), int((true & ~answered).sum())
    if metric == "f1":
        return exact_f1(tp, fp, fn, threshold, confidence)
    return exact_proportion(tp, tp + (fp if metric == "precision" else fn), threshold, confidence)


def on_scores(question: Question, sides: list[Evidence], label: int | None, confidence: float) -> Inference:
    """AUROC by DeLong or score intervals; Brier and log-loss as means; average precision by influence."""
    metric = question.metrics[0]
    truth, threshold = sides[0].truth, question.threshold
    for side in sides:
        require_scores(metric.name, side)
    scores = [filled_scores(side.predictions[0]) for side in sides]
    if metric.name == "auroc" and len(sides) == 2:
        return auroc.auroc_difference(truth, scores[0], scores[1], threshold, confidence, label)
    if metric.name == "auroc":
        return auroc.auroc(truth, scores[0], threshold, confidence, label)
    if metric.name in ("brier", "log_loss"):
        of_rows = brier_rows if metric.name == "brier" else log_loss_rows
        rows = [of_rows(truth, one) for one in scores]
        return means.mean(rows[0] if len(rows) == 1 else rows[0] - rows[1], threshold, confidence)
    if metric.name == "ece":
        raise no_interval_for_ece()
    found = combined(question, {side.name: side for side in sides})
    return few_misordered(from_influence(found, threshold, confidence), truth, scores, label)


def few_misordered(found: Inference, truth: np.ndarray, scores: list[np.ndarray], label: int | None) -> Inference:
    """Average precision is decided only where every class misorders enough positives for its normal interval."""
    for one in scores:
        areas, m1, m0, _ = auroc.per_class(truth, one, label)
        if len(areas) == 0 or auroc.misordered(areas, m1, m0).min() < auroc.FEWEST_MISORDERED:
            because = "too few rows of a label are ranked wrongly for an interval of average precision; auroc has one"
            return Inference(
                found.value, found.low, found.high, found.p_above, found.p_below, found.method, found.n, because
            )
    return found


def on_requests(question: Question, sides: list[Evidence], confidence: float) -> Inference | None:
    """Latency quantiles against a number, and one contestant's against a multiple of another's."""
    times = [side.latencies for side in sides]
    metric = question.metrics[0]
    quantile = LATENCY_QUANTILES[metric.name]
    if question.expression is not None or any(one is None for one in times):
        return None
    first = times[0]
    assert first is not None
    if len(sides) == 1 and quantile is not None:
        return latency.exceedance(first.milliseconds, first.blocks, quantile, question.threshold, confidence)
    if len(sides) == 2 and question.threshold == 0 and question.metrics[1].name == metric.name:
        second = times[1]
        assert second is not None
        factor = -question.terms[1].coefficient
        if factor > 0 and first.session == second.session:
            return latency.block_log_ratio(
                first.milliseconds, first.blocks, second.milliseconds, second.blocks, quantile, factor, confidence
            )
    return None


def require_one_place(question: Question, sides: list[Evidence]) -> None:
    """Times and memory compare only within one machine and session; an LLM's latency is its service's."""
    local = [side for side in sides if side.method not in ("prompt", "predictions", "published")]
    if len({side.name for side in local}) < 2:
        return
    kinds = {METRICS[metric.name].needs for metric in question.metrics}
    names = " and ".join(dict.fromkeys(side.name for side in local))
    again = "run with --modelcompare-fresh, which measures them side by side"
    if (
        Need.LATENCY in kinds
        and len({(side.latencies.machine, side.latencies.session) for side in local if side.latencies}) > 1
    ):
        raise GateError(f"{names} were timed in different sessions or on different machines", fix=again)
    if any(metric.name in MEASURED_ONCE for metric in question.metrics) and len({side.machine for side in local}) > 1:
        raise GateError(f"{names} were trained on different machines", fix=again)


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
    own = from_influence(ours, 0.0, confidence)  # its variance holds seeds and groups too
    variance = ((own.high - own.low) / 2 / float(ndtri(confidence))) ** 2 if n else 0.0
    threshold = question.threshold if printed == 1 else -question.threshold
    rounding = half_of_the_last_digit(theirs.value)
    unfavourable = theirs.value + (rounding if (printed == 1) == question.above else -rounding)
    found = against_published(ours.value, variance, n, unfavourable, source.n, threshold, confidence)
    found = replace(found, undecided_because=own.undecided_because, notes=own.notes)
    if printed == 1:
        return found
    return replace(
        found, value=-found.value, low=-found.high, high=-found.low, p_above=found.p_below, p_below=found.p_above
    )
