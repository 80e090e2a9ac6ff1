"""What an own metric says of some answers: its value, each row's influence, and whether an interval may rest on it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from math import isfinite
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics.own import Answered, OwnMetric
from pytest_modelcompare.metrics.ranking import filled_scores
from pytest_modelcompare.records import Evidence, Predictions

Floats = NDArray[np.float64]
T = TypeVar("T")

FOREIGN = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a project's function may raise; it becomes the error of the gates that name it."""

FEWEST_ROWS = 100
RESAMPLES = 200
WIDEST = 1.25
"""How many times the influence's standard error may stand in that of the resamples, or this in that."""

MOST_BIAS = 0.35
"""How far the resamples' mean may lie from the figure, in standard errors."""

KEPT = 256
_found: dict[tuple[OwnMetric, str, bytes], object] = {}
"""The function is the project's and may be slow; gates, table and reports ask for the same figure."""


def kept(what: str, metric: OwnMetric, rows: Answered, work: Callable[[OwnMetric, Answered], T]) -> T:
    """The same work on the same answers once in a process."""
    digest = hashlib.sha256(repr(rows.labels).encode())
    for part in (rows.truth, rows.answers, *(() if rows.scores is None else (rows.scores,))):
        digest.update(f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
    key = (metric, what, digest.digest())
    if key not in _found:
        while len(_found) >= KEPT:
            del _found[next(iter(_found))]
        _found[key] = work(metric, rows)
    return _found[key]  # type: ignore[return-value]


def own_figure(metric: OwnMetric, evidence: Evidence, predictions: Predictions) -> tuple[float, Floats]:
    """The value and the influence, shape (n,), of one trained model's answers.

    Raises:
        GateError: the project's function fails or gives what it may not.
    """
    return kept("figure", metric, answered(evidence, predictions, metric), value_and_influence)


def own_doubt(metric: OwnMetric, evidence: Evidence) -> str | None:
    """Why no interval may rest on the influence of these rows; None where it may."""
    if because := too_few_for_own(metric.name, len(evidence.truth)):
        return because
    for predictions in evidence.predictions:
        if said := kept("doubt", metric, answered(evidence, predictions, metric), doubt):
            return said
    return None


def too_few_for_own(name: str, n_rows: int) -> str | None:
    """Why so many rows carry no interval of a metric that a project added; None where they do."""
    if n_rows >= FEWEST_ROWS:
        return None
    return f"{n_rows} rows are too few for an interval of {name}: it takes {FEWEST_ROWS}"


def doubt(metric: OwnMetric, rows: Answered) -> str | None:
    """Holds the influence against samples of the rows.

    An influence is a derivative. Where the figure jumps (the worst label, a median, a label with a handful of
    rows), or where the one that was given has another scale, its standard error is not that of samples drawn anew.
    """
    value, influence = value_and_influence(metric, rows)
    expected = float(np.sqrt((influence**2).sum()))
    rng, n = np.random.default_rng(0), len(rows)
    values = np.array([value_of(metric, rows.picked(rng.integers(0, n, n))) for _ in range(RESAMPLES)])
    seen, bias = float(values.std(ddof=1)), float(values.mean()) - value
    if expected == seen == 0:
        return None  # no row differs from another: told elsewhere, by the number of rows
    if not expected / WIDEST <= seen <= expected * WIDEST:
        return (
            f"{metric.name} does not follow its influence: samples of these rows scatter by {seen:.2g}, "
            f"not by {expected:.2g}, so no interval can rest on it"
        )
    if abs(bias) > MOST_BIAS * seen:
        return f"{metric.name} of so few rows is off by {abs(bias) / seen:.1f} standard errors, so nothing is decided"
    return None


def answered(evidence: Evidence, predictions: Predictions, metric: OwnMetric) -> Answered:
    """Label numbers as names."""
    names = np.array([*evidence.labels, ""])  # NO_ANSWER is -1, the last one
    scores = filled_scores(predictions) if metric.scores else None
    return Answered(names[evidence.truth], names[predictions.labels], evidence.labels, scores)


def value_and_influence(metric: OwnMetric, rows: Answered) -> tuple[float, Floats]:
    """The value, and each row's influence, given or found by leaving rows out.

    Raises:
        GateError: the function fails, or gives what is no figure of its range or no influence of these rows.
    """
    found = called(metric, rows)
    if not isinstance(found, tuple):
        return in_range(metric, found), leave_one_out(metric, rows)
    value, influence = in_range(metric, found[0]), np.asarray(found[1], np.float64)
    if influence.shape != (len(rows),) or not np.isfinite(influence).all():
        shape = " x ".join(str(side) for side in influence.shape)
        raise GateError(
            f"`{metric.name}` gives an influence of shape {shape or 'one number'}, or one that is not finite",
            fix=f"one finite number for each of the {len(rows):,} rows, or return the value alone",
        )
    return value, influence - influence.mean()


def leave_one_out(metric: OwnMetric, rows: Answered) -> Floats:
    """The jackknife's influence, shape (n,).

    (n - 1) / n of how much the value falls when the row is left out: the squares then sum to the
    jackknife's variance as `from_influence` counts it, and of a mean it is (row - mean) / n.
    Without scores, rows of equal label and answer are one case.

    Source: Efron (1982), https://doi.org/10.1137/1.9781611970319
    """
    n = len(rows)
    if n < 2:
        return np.zeros(n)
    cases, inverse = np.arange(n), np.arange(n)
    if rows.scores is None:
        _, cases, inverse = np.unique(
            np.stack([rows.truth, rows.answers]), axis=1, return_index=True, return_inverse=True
        )
        inverse = inverse.ravel()
    everything = np.arange(n)
    without = np.array([value_of(metric, rows.picked(np.delete(everything, case))) for case in cases])[inverse]
    influence: Floats = (without.mean() - without) * (n - 1) / n
    return influence


def value_of(metric: OwnMetric, rows: Answered) -> float:
    """Of a sample, without the warnings that one call with all rows has given already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = called(metric, rows)
    return in_range(metric, found[0] if isinstance(found, tuple) else found)


def called(metric: OwnMetric, rows: Answered) -> float | tuple[float, Floats]:
    try:
        found = metric.measure(rows)
        return found if isinstance(found, tuple) else float(found)
    except FOREIGN as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise GateError(
            f"`{metric.name}` failed on {len(rows):,} rows: {said}",
            fix="it is called with all rows, without single ones and on samples of them, so a label may have none",
        ) from error


def in_range(metric: OwnMetric, value: float) -> float:
    value = float(value)
    if isfinite(value) and metric.low <= value <= metric.high:
        return value
    raise GateError(
        f"`{metric.name}` is {value:g}, and says that it lies between {metric.low:g} and {metric.high:g}",
        fix="mend the function, or the `low` and `high` that it was added with",
    )
