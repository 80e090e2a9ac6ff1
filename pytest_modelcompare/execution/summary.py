"""A comparison as plain data for the reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.data.subsets import subset_size, warn_shortage
from pytest_modelcompare.execution.by_label import behind_the_figures
from pytest_modelcompare.execution.calibrated import calibration_of, deferrals
from pytest_modelcompare.execution.history import answers_key_of
from pytest_modelcompare.execution.references import references
from pytest_modelcompare.execution.settings_written import settings_written
from pytest_modelcompare.methods.registry import method_of
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.records.report import ContestantReport, MetricReport, OwnMetricReport, SuiteReport

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison

SHARED = "trained while other trainings shared the GPU: alone it takes less time"

FEW_TRAINING_ROWS = 1_000
"""Fewer, and the figure of one seed says little about the recipe."""


def suite_report(comparison: Comparison) -> SuiteReport:
    """The suite's table; its gates are added from pytest's own reports."""
    suite = comparison.suite
    rows = {name: contestant_report(comparison, found) for name, found in comparison.evidence().items()}
    lines = {name: reference_report(found, suite.confidence) for name, found in references(comparison).items()}
    return SuiteReport(
        str(suite.path),
        suite.name,
        data_facts(comparison),
        rows,
        [],
        len(suite.gates),
        lines,
        own_metrics=own_metrics_of(rows.values()),
    )


def own_metrics_of(rows: Iterable[ContestantReport]) -> dict[str, OwnMetricReport]:
    """What the project added, of all that anyone carries."""
    carried = {name for row in rows for name in row.metrics}
    return {
        name: OwnMetricReport(spec.definition, spec.unit, spec.higher_is_better)
        for name, spec in METRICS.items()
        if spec.own and name in carried
    }


def reference_report(evidence: Evidence, confidence: float) -> ContestantReport:
    return ContestantReport(evidence.method, evidence.model, stored=True, metrics=table_figures(evidence, confidence))


def data_facts(comparison: Comparison) -> dict[str, Any]:
    dataset = comparison.dataset
    if dataset is None:
        return {"train_rows": 0, "test_rows": 0, "labels": [], "leaked_rows": 0, "warnings": []}
    return {
        "train_rows": len(dataset.train) if dataset.train is not None else 0,
        "validation_rows": len(dataset.validation) if dataset.validation is not None else 0,
        "test_rows": len(dataset.test),
        "labels": list(dataset.labels),
        "leaked_rows": dataset.leaked_rows,
        "warnings": [*dataset.warnings, *comparison.warnings, *dict.fromkeys(comparison.set_aside)],
        "digest": dataset.digest,
        "test_digest": test_rows_digest(dataset),
        "confidence": comparison.suite.confidence,
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
        device=asdict(runs[0].outcome.device) if runs and runs[0].outcome.device else None,
        versions=dict(runs[0].versions) if runs else {},
        settings=settings_written(comparison.spec_of(name)),
        metrics=own_figures(comparison, evidence),
        **sweep_facts(comparison, name),
        seeds=list(evidence.seeds),
        runs=[run.fingerprint for run in runs],
        answers=answers_key_of(comparison, evidence),
        cost_assumptions=evidence.cost.assumptions if evidence.cost else None,
        timing_machine=timing.latencies.machine if timing else None,
        timing_date=timing.latencies.date if timing else None,
        recorded=answered.recorded if answered else None,
        failures=failures_of(evidence),
        read_as=dict(evidence.predictions[0].read_as) if evidence.predictions else {},
        failure_examples={kind: list(found) for kind, found in answered.failure_examples.items()} if answered else {},
        notes=notes_of(comparison, evidence),
        decisive_notes=decisive_notes_of(comparison, evidence),
        calibration=calibration_of(evidence),
        deferral=deferrals(evidence, comparison.evidence()),
        **behind_the_figures(evidence),
    )


def own_figures(comparison: Comparison, evidence: Evidence) -> dict[str, MetricReport]:
    """The contestant's cells; of an LLM that stopped early without intervals, which hold for a fixed number of rows."""
    figures = table_figures(evidence, comparison.suite.confidence)
    answered = comparison.answered.get(evidence.name)
    if answered is None or answered.rows is None:
        return figures
    return {name: replace(figure, low=None, high=None) for name, figure in figures.items()}


def sweep_facts(comparison: Comparison, name: str) -> dict[str, Any]:
    """How much a contestant learned from, and where it stands in its sweep."""
    spec = comparison.spec_of(name)
    chosen = comparison.selections.get(spec.member_of or "")
    return {
        "train_rows": train_rows(comparison, name),
        "member_of": comparison.suite.contestants[name].member_of,
        "selected": spec.name if name in comparison.selections else None,
        "validation": dict(chosen.figures[spec.name]) if chosen is not None else None,
    }


def train_rows(comparison: Comparison, name: str) -> int | None:
    """How many rows a contestant was trained on; None where nothing was."""
    spec = comparison.spec_of(name)
    train = comparison.dataset.train if comparison.dataset is not None else None
    if train is None or not comparison.runs.get(name) or not method_of(spec).traits.trains:
        return None
    return len(train) if spec.subset is None else subset_size(train.labels, spec.subset)


def failures_of(evidence: Evidence) -> dict[str, int]:
    return dict(evidence.predictions[0].failures) if evidence.predictions else {}


def decisive_notes_of(comparison: Comparison, evidence: Evidence) -> list[str]:
    """Those of the notes that are about what gates rest on: rows left out, answers asked for again or misspelled."""
    answered, recorded = comparison.answered.get(evidence.name), comparison.recorded.get(evidence.name)
    decisive = [] if answered is None else [note for note in answered.decisive if note in answered.notes]
    return [*decisive, *recorded.misspelled] if recorded is not None else decisive


def notes_of(comparison: Comparison, evidence: Evidence) -> list[str]:
    """What a reader of the table should know of one contestant."""
    runs = comparison.runs.get(evidence.name, [])
    notes = list(dict.fromkeys(note for run in runs for note in run.outcome.notes))
    if any(run.outcome.shared_device for run in runs) and SHARED not in notes:
        notes.append(SHARED)
    if answered := comparison.answered.get(evidence.name):
        notes += answered.notes
    if (timing := comparison.timings.get(evidence.name)) and timing.latencies.device != comparison.device_kind:
        notes.append(f"timed on {timing.latencies.device}, the only device that it runs on")
    if recorded := comparison.recorded.get(evidence.name):
        notes += [*recorded.notes, *recorded.misspelled]
    if evidence.name in comparison.selections:
        notes.append(comparison.selections[evidence.name].note)
    if comparison.dataset is not None:
        notes += warn_shortage(comparison.dataset, comparison.spec_of(evidence.name).subset)
    rows = train_rows(comparison, evidence.name)
    seeded = rows is not None and "seeds" in method_of(comparison.spec_of(evidence.name)).settings.model_fields
    own = comparison.suite.contestants[evidence.name].member_of is None  # once for a whole sweep
    if rows is not None and seeded and own and len(evidence.predictions) == 1 and rows < FEW_TRAINING_ROWS:
        notes.append(
            f"trained once, on {rows:,} rows: at this size seeds differ by a point or more; give several `seeds`"
        )
    if evidence.published is not None:
        notes.append(f"published in {evidence.published.source}")
    return notes
