"""Free reference lines of the table: what a constant answer and plain TF-IDF reach on the same rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.local import Obtained, obtain, run_orders, stored_run
from pytest_modelcompare.methods.tfidf import Tfidf, TfidfSettings
from pytest_modelcompare.records import Dataset, Evidence, Predictions
from pytest_modelcompare.records.jobs import Job, Kind, Place

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison

MAJORITY, TFIDF = "(majority)", "(tf-idf)"
"""No contestant can be called so."""


def wants_tfidf(comparison: Comparison) -> bool:
    """Whether the table needs a TF-IDF line of its own."""
    suite, dataset = comparison.suite, comparison.dataset
    if not suite.references or dataset is None or dataset.train is None or comparison.options.smoke:
        return False
    return all(spec.method != Tfidf.key for spec in suite.contestants.values())


def reference_job(comparison: Comparison) -> Job[Obtained]:
    """Fit TF-IDF on the training rows, or find it in the store."""
    assert comparison.dataset is not None
    spec = ContestantSpec(TFIDF, Tfidf.key, TfidfSettings())
    (order,) = run_orders(spec, Tfidf(), comparison.dataset, comparison.base)
    stored, title = stored_run(order, comparison.store, comparison.options) is not None, "reference: TF-IDF"
    work = partial(obtain, order, title=title)
    return Job(order.fingerprint, title, Kind.REFERENCE, Place.HERE, work, stored=stored)


def references(comparison: Comparison) -> dict[str, Evidence]:
    """Name → evidence of each reference line."""
    dataset = comparison.dataset
    if dataset is None or not comparison.suite.references or comparison.options.smoke:
        return {}
    found = {MAJORITY: majority(dataset)}
    if comparison.reference is not None:
        answers = comparison.reference.outcome.predictions
        found[TFIDF] = Evidence(
            TFIDF, "reference", dataset.labels, dataset.test.labels, dataset.test.groups, (answers,), (0,), "TF-IDF"
        )
    return found


def majority(dataset: Dataset) -> Evidence:
    """Always the label that is most frequent in train, or in the test rows where there is no train."""
    counted = dataset.test if dataset.train is None else dataset.train
    label = int(np.bincount(counted.labels, minlength=len(dataset.labels)).argmax())
    answers = Predictions(np.full(len(dataset.test), label, np.int64))
    return Evidence(
        MAJORITY,
        "reference",
        dataset.labels,
        dataset.test.labels,
        dataset.test.groups,
        (answers,),
        model=f"always `{dataset.labels[label]}`",
    )
