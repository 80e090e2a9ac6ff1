"""Accepting what a contestant is now, and finding what was accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.gates.claims import Claim, DoesNotRegress
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.metrics.ranking import filled_scores
from pytest_modelcompare.records import Dataset, Evidence, Predictions
from pytest_modelcompare.records.accepted import (
    AcceptedAnswers,
    AcceptedEntry,
    AcceptedFigure,
    AcceptedRecord,
    Baseline,
)
from pytest_modelcompare.statistics.influence import spread_of
from pytest_modelcompare.store.accepted import LEAST_SCORE, answers_key

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison


def model_key(sides: Iterable[Evidence]) -> str:
    """What tells models apart: their answers, "+" between contestants."""
    keys = []
    for side in sides:
        digest = hashlib.sha256(side.name.encode())
        for one in side.predictions:
            digest.update(one.labels.tobytes())
        keys.append(digest.hexdigest()[:12])
    return "+".join(keys)


def regressions(claims: tuple[Claim, ...]) -> list[DoesNotRegress]:
    return [claim for claim in claims if isinstance(claim, DoesNotRegress)]


def key_of(claim: DoesNotRegress) -> str:
    return f"{claim.a}.{claim.measure}"


def baselines(
    comparison: Comparison, claims: tuple[Claim, ...], evidence: Mapping[str, Evidence], inside: np.ndarray | None
) -> dict[str, Baseline]:
    """What was accepted of the contestants of these claims.

    Args:
        evidence: on the gate's slice.
        inside: the slice's rows, shape (n,); None: all.
    """
    found: dict[str, Baseline] = {}
    assert comparison.dataset is not None
    for claim in regressions(claims):
        entry = comparison.accepted.entries.get(key_of(claim))
        if entry is None or claim.a not in evidence:
            continue
        scores = METRICS[claim.measure.name].needs is Need.SCORES
        now = rounded(evidence[claim.a]) if scores else evidence[claim.a]
        latest = then(comparison, entry.latest, evidence[claim.a], inside)
        same = latest is not None and same_answers(now, latest, scores=scores)
        first = then(comparison, entry.first, evidence[claim.a], inside)
        found[key_of(claim)] = Baseline(entry, now, latest, first, same)
    return found


def then(comparison: Comparison, figure: AcceptedFigure, now: Evidence, inside: np.ndarray | None) -> Evidence | None:
    """The accepted answers as evidence; None where the test rows or the labels are no longer the same."""
    dataset, answers = comparison.dataset, comparison.accepted.answers.get(figure.answers)
    if dataset is None or answers is None or figure.test_rows != test_rows_digest(dataset):
        return None
    if answers.label_names != dataset.labels:
        return None
    scores: list[np.ndarray | None] = [None] * len(answers.labels)
    if answers.surprise is not None:
        scores = [scores_of(one) for one in answers.surprise]
    predictions = tuple(Predictions(labels, one) for labels, one in zip(answers.labels, scores, strict=True))
    old = replace(now, truth=dataset.test.labels, clusters=dataset.test.groups, predictions=predictions)
    return old if inside is None else old.on_rows(inside)


def surprise_of(scores: np.ndarray) -> np.ndarray:
    """-ln(score) in 16 bits, of the same shape."""
    surprise: np.ndarray = (-np.log(np.clip(scores, LEAST_SCORE, 1.0))).astype(np.float16)
    return surprise


def scores_of(surprise: np.ndarray) -> np.ndarray:
    scores = np.exp(-surprise.astype(np.float64))
    normalised: np.ndarray = scores / scores.sum(axis=-1, keepdims=True)
    return normalised


def rounded(evidence: Evidence) -> Evidence:
    """The scores as a record would give them back: then and now are rounded alike."""
    predictions = tuple(
        one if one.scores is None else replace(one, scores=scores_of(surprise_of(filled_scores(one))))
        for one in evidence.predictions
    )
    return replace(evidence, predictions=predictions)


def same_answers(now: Evidence, old: Evidence, *, scores: bool) -> bool:
    """Whether every seed answers every row as it did."""
    if len(now.predictions) != len(old.predictions):
        return False
    for one, other in zip(now.predictions, old.predictions, strict=True):
        if not np.array_equal(one.labels, other.labels):
            return False
        if scores and (one.scores is None or other.scores is None or not np.array_equal(one.scores, other.scores)):
            return False
    return True


def accept(comparison: Comparison, claim: DoesNotRegress) -> AcceptedRecord:
    """What the record would hold of a claim's contestant as it is now.

    Raises:
        GateError: the contestant cannot carry the metric.
    """
    dataset = comparison.dataset
    assert dataset is not None
    evidence = comparison.evidence()[claim.a]
    spec = METRICS[claim.measure.name]
    found = estimate(claim.measure.name, evidence, claim.measure.label)
    answers = answers_of(evidence, dataset, with_scores=spec.needs is Need.SCORES)
    n = found.influence.shape[1]
    judged = comparison.judgements.of(str(claim)).and_now(comparison.options.session, model_key([evidence]))
    figure = AcceptedFigure(
        datetime.now(UTC).isoformat(timespec="seconds"),
        found.value,
        sqrt(spread_of(found).variance) if n > 1 else 0.0,
        n,
        test_rows_digest(dataset),
        tuple(run.fingerprint for run in comparison.runs.get(claim.a, [])),
        answers_key(answers) if n else "",
        judged.times,
        judged.models,
    )
    kept = {figure.answers: answers} if n else {}
    return AcceptedRecord({key_of(claim): AcceptedEntry(figure, figure)}, kept)


def answers_of(evidence: Evidence, dataset: Dataset, *, with_scores: bool) -> AcceptedAnswers:
    labels = np.stack([one.labels for one in evidence.predictions]).astype(np.int64)
    surprise = None
    if with_scores and all(one.scores is not None for one in evidence.predictions):
        surprise = np.stack([surprise_of(filled_scores(one)) for one in evidence.predictions])
    return AcceptedAnswers(labels, dataset.labels, surprise)
