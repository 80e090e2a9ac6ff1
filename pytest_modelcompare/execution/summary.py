"""A comparison as plain data for the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_modelcompare.contestants.registry import LOCAL
from pytest_modelcompare.execution.calibrated import calibration_of, deferrals
from pytest_modelcompare.execution.references import references
from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.records.report import ContestantReport, SuiteReport

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison


FEW_TRAINING_ROWS = 1_000
"""Fewer, and the figure of one seed says little about the recipe."""


def suite_report(comparison: Comparison) -> SuiteReport:
    """The suite's table; its gates are added from pytest's own reports."""
    suite = comparison.suite
    rows = {name: contestant_report(comparison, found) for name, found in comparison.evidence().items()}
    lines = {name: reference_report(found, suite.confidence) for name, found in references(comparison).items()}
    return SuiteReport(str(suite.path), suite.name, data_facts(comparison), rows, [], len(suite.gates), lines)


def reference_report(evidence: Evidence, confidence: float) -> ContestantReport:
    return ContestantReport(evidence.method, evidence.model, stored=True, metrics=table_figures(evidence, confidence))


def data_facts(comparison: Comparison) -> dict[str, Any]:
    dataset = comparison.dataset
    if dataset is None:
        return {"train_rows": 0, "test_rows": 0, "labels": [], "leaked_rows": 0, "warnings": []}
    return {
        "train_rows": len(dataset.train) if dataset.train is not None else 0,
        "test_rows": len(dataset.test),
        "labels": list(dataset.labels),
        "leaked_rows": dataset.leaked_rows,
        "warnings": [*dataset.warnings, *comparison.warnings],
        "digest": dataset.digest,
        "judged": judged_rows(comparison),
    }


def judged_rows(comparison: Comparison) -> dict[str, Any] | None:
    """In how many sessions, and with how many distinct models, these test rows were judged."""
    if not comparison.judged:
        return None
    models = [model for keys in comparison.judged.values() for model in keys.split("+")]
    known = comparison.judgements.of_rows.and_now(comparison.options.session, *models)
    return {"times": known.times, "models": known.models, "since": known.since}


def contestant_report(comparison: Comparison, evidence: Evidence) -> ContestantReport:
    """One row of the table."""
    name = evidence.name
    runs = comparison.runs.get(name, [])
    answered = comparison.answered.get(name)
    timing = comparison.timings.get(name)
    new_run = any(run.session == comparison.options.session for run in runs)
    return ContestantReport(
        method=evidence.method,
        model=evidence.model,
        stored=not new_run and not (answered and answered.calls),
        machine=evidence.machine,
        versions=dict(runs[0].versions) if runs else {},
        metrics=table_figures(evidence, comparison.suite.confidence),
        seeds=list(evidence.seeds),
        runs=[run.fingerprint for run in runs],
        cost_assumptions=evidence.cost.assumptions if evidence.cost else None,
        timing_machine=timing.latencies.machine if timing else None,
        timing_date=timing.latencies.date if timing else None,
        recorded=answered.recorded if answered else None,
        failures=failures_of(evidence),
        notes=notes_of(comparison, evidence),
        calibration=calibration_of(evidence),
        deferral=deferrals(evidence, comparison.evidence()),
    )


def failures_of(evidence: Evidence) -> dict[str, int]:
    return dict(evidence.predictions[0].failures) if evidence.predictions else {}


def notes_of(comparison: Comparison, evidence: Evidence) -> list[str]:
    """What a reader of the table should know of one contestant."""
    runs = comparison.runs.get(evidence.name, [])
    notes = list(dict.fromkeys(note for run in runs for note in run.outcome.notes))
    if answered := comparison.answered.get(evidence.name):
        notes += answered.notes
    if evidence.name in comparison.recorded and comparison.recorded[evidence.name].notes:
        notes += comparison.recorded[evidence.name].notes
    train = comparison.dataset.train if comparison.dataset else None
    trains = (
        evidence.method in LOCAL
        and LOCAL[evidence.method].trains
        and "seeds" in LOCAL[evidence.method].settings.model_fields
    )
    if trains and len(evidence.predictions) == 1 and train is not None and len(train) < FEW_TRAINING_ROWS:
        notes.append(
            f"trained once, on {len(train):,} rows: at this size seeds differ by a point or more; give several `seeds`"
        )
    if evidence.published is not None:
        notes.append(f"published in {evidence.published.source}")
    return notes
