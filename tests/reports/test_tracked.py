"""What an experiment tracker is told of a session."""

from __future__ import annotations

from dataclasses import replace

from pytest_modelcompare.records.history import Revision
from pytest_modelcompare.records.report import ContestantReport, GateReport, MetricReport, SuiteReport
from pytest_modelcompare.reports.tracked import contestant_run, metric_name, session_run

DATA = {"train_rows": 10, "test_rows": 5, "labels": ["a", "b"], "test_digest": "ab12"}
HELD = GateReport("a.accuracy >= 0.9", None, "s::a", 8, "pass", ".93", difference={"value": 0.93}, threshold=0.9)
SUITE = SuiteReport("s.modelcompare.yaml", "Spam", DATA, {}, [HELD], 1)


def of(*gates: GateReport):
    return session_run(replace(SUITE, gates=list(gates)), Revision("c0ffee", "main", dirty=True), "session")


def test_a_session_names_commit_branch_and_verdict():
    run = of(HELD)
    assert run.tags["mlflow.source.git.commit"] == "c0ffee"
    assert run.tags["mlflow.source.git.branch"] == "main"
    assert run.tags["modelcompare.uncommitted_changes"] == "true"
    assert run.tags["mlflow.note.content"] == "Spam: the gate holds"
    assert not run.failed


def test_a_gate_is_metrics_and_a_tag():
    run = of(HELD)
    assert run.metrics["gates/a.accuracy ge 0.9/value"] == 0.93
    assert run.metrics["gates/a.accuracy ge 0.9/threshold"] == 0.9
    assert run.metrics["gates/a.accuracy ge 0.9/holds"] == 1
    assert run.tags["gate.a.accuracy ge 0.9"] == "pass: .93"


def test_an_undecided_gate_neither_holds_nor_fails_and_the_run_is_marked():
    run = of(replace(HELD, outcome="undecided"))
    assert "gates/a.accuracy ge 0.9/holds" not in run.metrics
    assert run.metrics["gates_undecided"] == 1
    assert run.metrics["gates_fail"] == 0
    assert run.failed


def test_gates_that_would_share_a_name_are_told_apart():
    run = of(HELD, replace(HELD, gate='a.f1["x|y"] >= 0.5'), replace(HELD, gate='a.f1["x/y"] >= 0.5'))
    assert len([name for name in run.metrics if name.endswith("/holds")]) == 3


def test_a_sentence_becomes_a_name_that_mlflow_takes():
    assert metric_name("a.cost_per_1k <= b.cost_per_1k / 10") == "a.cost_per_1k le b.cost_per_1k over 10"
    assert metric_name("../..") == "over"
    assert metric_name('a.f1["<x>"] > 0') == "a.f1_ltxgt_ gt 0"


def test_a_contestant_has_its_settings_and_figures_with_bounds():
    row = ContestantReport(
        "fine_tune",
        "MiniLM",
        stored=True,
        settings={"learning_rate": 2e-5, "model": "MiniLM@main", "seeds": [1, 2]},
        seeds=[1, 2],
        metrics={"accuracy": MetricReport(0.9, 0.8, 1.0, 50), "inference_memory_mb": MetricReport(float("nan"))},
    )
    run = contestant_run("small", row)
    assert run.params == {"learning_rate": "2e-05", "model": "MiniLM", "method": "fine_tune", "seeds": "[1, 2]"}
    assert run.metrics == {"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 1.0}
