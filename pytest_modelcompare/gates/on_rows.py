"""One or two trained models on the test rows, without groups: the test of each metric."""

from __future__ import annotations

import numpy as np

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.combine import combined
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.metrics.classification import confusion_statistic
from pytest_modelcompare.metrics.estimate import estimate, label_number, require_scores
from pytest_modelcompare.metrics.ranking import brier_rows, filled_scores, log_loss_rows
from pytest_modelcompare.records import Evidence, Inference
from pytest_modelcompare.statistics import auroc, means
from pytest_modelcompare.statistics.bootstrap import bca
from pytest_modelcompare.statistics.f_measure import exact_f1
from pytest_modelcompare.statistics.influence import from_influence
from pytest_modelcompare.statistics.paired import paired_accuracy
from pytest_modelcompare.statistics.proportion import exact_proportion


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
