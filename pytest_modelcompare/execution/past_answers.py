"""What contestants answered in an earlier session, as far as the store still knows."""

from __future__ import annotations

import numpy as np

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.records.history import ContestantThen, SessionThen
from pytest_modelcompare.store.answered import AnsweredStore, TestRows
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.runs import RunStore

EvidenceByName = dict[str, Evidence]


def evidence_of(then: SessionThen, store: StoreFolders, prefix: str = "") -> EvidenceByName:
    """What the store still knows of a session's answers, by prefixed name."""
    rows = AnsweredStore(store).rows(then.rows) if then.rows else None
    if rows is None:
        return {}
    found = {name: answered(name, one, rows, then, store, prefix) for name, one in then.contestants.items()}
    return {prefix + name: evidence for name, evidence in found.items() if evidence is not None}


def answered(
    name: str, one: ContestantThen, rows: TestRows, then: SessionThen, store: StoreFolders, prefix: str
) -> Evidence | None:
    """A contestant's answers in a session, from its runs or from its kept answers; None where one is missing."""
    predictions = None if one.answers is None else AnsweredStore(store).answers(one.answers)
    if one.runs:
        try:
            runs = [RunStore(store).as_of(fingerprint, then.created) for fingerprint in one.runs]
        except ModelCompareError:  # a damaged run is one that is not there
            return None
        predictions = None if None in runs else tuple(run.outcome.predictions for run in runs if run is not None)
    if predictions is None or any(len(part.labels) != len(rows.truth) for part in predictions):
        return None
    groups = rows.groups
    return Evidence(
        prefix + name, one.method, rows.labels, rows.truth, groups, predictions, tuple(range(len(predictions)))
    )


def equal_scores(one: np.ndarray | None, two: np.ndarray | None) -> bool:
    return one is two or (one is not None and two is not None and np.array_equal(one, two, equal_nan=True))
