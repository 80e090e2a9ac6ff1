"""Any metric of any contestant as a value with its influence per row and seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics import classification, ranking
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.metrics.measured import (
    TEST_ROWS,
    break_even,
    cost,
    exact,
    footprint,
    latency,
    no_cost,
    required,
    throughput,
    train_cost_of,
)
from pytest_modelcompare.metrics.own import own_metric
from pytest_modelcompare.metrics.own_figures import own_figure
from pytest_modelcompare.records import Estimate, Evidence, Predictions

OneSeed = Callable[[Predictions], tuple[float, NDArray[np.float64]]]


def estimate(metric: str, evidence: Evidence, label: str | None = None, other: Evidence | None = None) -> Estimate:
    """A metric of a contestant.

    Args:
        metric: a name of the catalogue.
        label: for `metric[label]`.
        other: for `break_even(OTHER)`.

    Raises:
        GateError: the contestant cannot carry this metric; says what is missing and how to provide it.
    """
    spec = METRICS[metric]
    number = label_number(evidence, label)
    if evidence.published is not None:
        return published(metric, evidence, label)
    if (own := own_metric(metric)) is not None:
        if own.scores:
            require_scores(metric, evidence)
        return over_seeds(evidence, lambda p: own_figure(own, evidence, p))
    match spec.needs:
        case Need.ROWS:
            return over_seeds(
                evidence,
                lambda p: classification.value_and_influence(
                    metric, evidence.truth, p.labels, len(evidence.labels), number
                ),
            )
        case Need.SCORES:
            require_scores(metric, evidence)
            found = over_seeds(evidence, lambda p: scored(metric, evidence.truth, ranking.filled_scores(p), number))
            return with_value(found, metric, evidence, label)
        case Need.LATENCY:
            return latency(metric, evidence)
        case Need.THROUGHPUT:
            return throughput(metric, evidence)
        case Need.FOOTPRINT:
            return footprint(metric, evidence)
        case Need.COST:
            return cost(metric, evidence)
        case Need.TRAIN_COST:
            return exact(required(train_cost_of(evidence), f"{evidence.name} has no training cost", no_cost(evidence)))
        case Need.BREAK_EVEN:
            return break_even(evidence, other)


def label_number(evidence: Evidence, label: str | None) -> int | None:
    if label is None:
        return None
    if label not in evidence.labels:
        raise GateError(f"no label `{label}`", fix=f"the labels are {', '.join(evidence.labels[:20])}")
    return evidence.labels.index(label)


def over_seeds(evidence: Evidence, one: OneSeed) -> Estimate:
    if not evidence.predictions:
        raise GateError(f"{evidence.name} has no answers on the test rows")
    values, influences = zip(*(one(predictions) for predictions in evidence.predictions), strict=True)
    sides = (evidence.name,) * len(values)
    return Estimate(
        float(np.mean(values)), np.stack(influences), np.array(values), evidence.clusters, TEST_ROWS, sides=sides
    )


def scored(
    metric: str, truth: NDArray[np.int64], scores: NDArray[np.float64], label: int | None
) -> tuple[float, NDArray[np.float64]]:
    n = len(truth)
    if metric == "auroc":
        return ranking.auroc(truth, scores, label)
    if metric == "average_precision":
        return ranking.average_precision(truth, scores, label)
    if metric == "ece":
        return ranking.expected_calibration_error(truth, scores), np.zeros(n)
    rows = ranking.brier_rows(truth, scores) if metric == "brier" else ranking.log_loss_rows(truth, scores)
    return float(rows.mean()), (rows - rows.mean()) / n


def require_scores(metric: str, evidence: Evidence) -> None:
    if any(predictions.scores is None for predictions in evidence.predictions):
        raise GateError(
            f"{evidence.name} gives no scores, which {metric} needs",
            fix="gate on accuracy or f1, or choose a contestant with a probability per label",
        )


def with_value(found: Estimate, metric: str, evidence: Evidence, label: str | None) -> Estimate:
    """A ranking needs rows of a label and rows of others."""
    if np.isfinite(found.value):
        return found
    which = f"`{label}`" if label else "any label"
    raise GateError(
        f"{metric} of {evidence.name} has no value: the test rows do not hold rows of {which} beside rows of others",
        fix="gate on a label that occurs in the test rows, or add such rows",
    )


def published(metric: str, evidence: Evidence, label: str | None) -> Estimate:
    assert evidence.published is not None
    if label is not None:
        raise GateError(
            f"{evidence.name} publishes no {metric} of the label `{label}`",
            fix=f"published figures are of all labels together: compare {metric} without a label",
        )
    if metric not in evidence.published.figures:
        known = ", ".join(sorted(evidence.published.figures))
        raise GateError(f"{evidence.name} publishes no {metric}", fix=f"it publishes {known}")
    return exact(evidence.published.figures[metric])
