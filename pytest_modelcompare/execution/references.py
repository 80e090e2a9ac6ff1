"""Free reference lines of the table: what a constant answer and plain TF-IDF reach on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.local import local_jobs, make_run, stored_run
from pytest_modelcompare.extras import require
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.registry import LOCAL
from pytest_modelcompare.methods.tfidf import TfidfSettings
from pytest_modelcompare.records import Dataset, Evidence, Predictions

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.execution.watch import Watcher

MAJORITY, TFIDF = "(majority)", "(tf-idf)"
"""No contestant can be called so."""


def wants_tfidf(comparison: Comparison) -> bool:
    """Whether the table needs a TF-IDF line of its own."""
    suite, dataset = comparison.suite, comparison.dataset
    if not suite.references or dataset is None or dataset.train is None or comparison.options.smoke:
        return False
    return all(spec.method != "tfidf" for spec in suite.contestants.values())


def reference_spec() -> ContestantSpec:
    return ContestantSpec(TFIDF, "tfidf", TfidfSettings())


def prepare_references(comparison: Comparison, watcher: Watcher) -> None:
    """Fit TF-IDF on the training rows, or find it in the store; what keeps it from it is said as a warning."""
    if not wants_tfidf(comparison) or comparison.reference is not None:
        return
    dataset, store, options = comparison.dataset, comparison.store, comparison.options
    assert dataset is not None
    job = local_jobs(reference_spec(), LOCAL["tfidf"], dataset, comparison.base)[0]
    try:
        run, made = stored_run(job, store, options), False
        if run is None:
            require("it", LOCAL["tfidf"].libraries(job.spec.settings))
            with watcher.job("reference: TF-IDF") as progress:
                run, made = make_run(job, comparison.base, store, options, progress)
    except ModelCompareError as error:
        comparison.warnings.append(f"no TF-IDF reference line: {error.what}")
        return
    if made or run.session != options.session:
        comparison.ledger.note_run(stored=not made)
    comparison.reference = run


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
