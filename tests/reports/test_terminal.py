"""The summary, as somebody reads it."""

from __future__ import annotations

import pytest

from pytest_modelcompare.records.report import (
    ContestantReport,
    GateReport,
    MetricReport,
    SessionReport,
    Spend,
    SuiteReport,
)
from pytest_modelcompare.reports.terminal import rendered


def a_report(**gate: object) -> SessionReport:
    metrics = {
        "accuracy": MetricReport(0.9302, 0.9222, 0.9377, 3080),
        "f1": MetricReport(0.9298),
        "latency_p50_ms": MetricReport(5.21),
        "latency_p95_ms": MetricReport(8.04),
        "cost_per_1k": MetricReport(0.00031),
    }
    row = ContestantReport("fine_tune", "MiniLM", stored=True, metrics=metrics, cost_assumptions="0.10 USD/h at 50 %")
    facts = {
        "gate": "minilm.accuracy >= 0.95",
        "outcome": "fail",
        "message": "0.930 (0.922 to 0.937, 3,080 rows), short by 0.020",
    }
    gates = [
        GateReport("minilm.accuracy >= 0.90", None, "s::a", 10, "pass", "0.930 (0.922 to 0.937, 3,080 rows)"),
        GateReport(**{"name": None, "nodeid": "s::b", "line": 11, **facts, **gate}),  # type: ignore[arg-type]
    ]
    data = {
        "train_rows": 10003,
        "test_rows": 3080,
        "labels": ["a", "b"],
        "warnings": ["10 test texts also stand in train"],
    }
    suite = SuiteReport("s.modelcompare.yaml", "Banking intents", data, {"minilm": row}, gates, 2)
    return SessionReport("2026-01-01T00:00:00+00:00", {}, Spend(stored_runs=1), [suite])


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int):
    lines = rendered(a_report(), width=width, colour=False).splitlines()
    assert max(map(len, lines)) <= width


def test_without_colour_there_is_no_escape():
    assert "\x1b" not in rendered(a_report(), width=80, colour=False)
    assert "\x1b" in rendered(a_report(), width=80, colour=True)


def test_failures_stand_before_what_holds():
    text = rendered(a_report(), width=120, colour=False)
    assert text.index("FAIL") < text.index("PASS")


def test_the_table_holds_accuracy_with_its_interval_and_the_cost_with_its_assumption():
    text = rendered(a_report(), width=100, colour=False)
    assert ".930 (.922–.938)" in text
    assert "5.2 / 8.0" in text
    assert "0.00031" in text
    assert "cost at 0.10 USD/h at 50 %" in text
    assert "stored" in text


def test_markup_in_a_gate_is_text():
    text = rendered(a_report(gate='minilm.f1["[bold]x[/bold]"] >= 0.5'), width=120, colour=False)
    assert '["[bold]x[/bold]"]' in text


def test_a_selection_is_said():
    report = a_report()
    suite = report.suites[0]
    some = SuiteReport(suite.path, suite.name, suite.data, suite.contestants, suite.gates[:1], 2)
    text = rendered(SessionReport(report.created, {}, Spend(), [some]), width=80, colour=False)
    assert "1 of 2 gates were selected" in text
