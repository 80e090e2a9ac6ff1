"""A comparison as plain data for the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.records.report import ContestantReport, SuiteReport

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison


def suite_report(comparison: Comparison) -> SuiteReport:
    """The suite's table; its gates are added from pytest's own reports."""
    suite = comparison.suite
    rows = {name: contestant_report(comparison, found) for name, found in comparison.evidence().items()}
    return SuiteReport(str(suite.path), suite.name, data_facts(comparison), rows, [], len(suite.gates))


def data_facts(comparison: Comparison) -> dict[str, Any]:
    dataset = comparison.dataset
    if dataset is None:
        return {"train_rows": 0, "test_rows": 0, "labels": [], "leaked_rows": 0, "warnings": []}
    return {
        "train_rows": len(dataset.train) if dataset.train is not None else 0,
        "test_rows": len(dataset.test),
        "labels": list(dataset.labels),
        "leaked_rows": dataset.leaked_rows,
        "warnings": list(dataset.warnings),
        "digest": dataset.digest,
    }


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
    if evidence.published is not None:
        notes.append(f"published in {evidence.published.source}")
    return notes
