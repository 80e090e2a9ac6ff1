"""Inside GitHub Actions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_modelcompare.records.report import GateReport, SessionReport
from pytest_modelcompare.reports.github import annotation_lines, append_step_summary
from tests.reports.worlds import large_report


def of_gates(*gates: GateReport) -> SessionReport:
    report = large_report(2, 3, 50)
    (suite,) = report.suites
    return replace(report, suites=[replace(suite, path="/repo/eval/s.modelcompare.yaml", gates=list(gates))])


def gate(outcome: str, message: str = "short by 0.02", text: str = "a.accuracy >= 0.9", line: int = 12) -> GateReport:
    return GateReport(text, None, "s::x", line, outcome, message)


ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/repo"}


def test_a_gate_that_fails_is_annotated_at_its_line():
    (line,) = annotation_lines(of_gates(gate("fail"), gate("pass"), gate("skipped")), ACTIONS)
    assert line == "::error file=eval/s.modelcompare.yaml,line=12,title=FAIL%3A a.accuracy >= 0.9::short by 0.02"


def test_a_gate_let_pass_undecided_is_a_warning():
    (line,) = annotation_lines(of_gates(gate("pass", "UNDECIDED, let pass by `undecided: warn`: +0.01")), ACTIONS)
    assert line.startswith("::warning file=")


def test_what_would_end_a_command_is_escaped():
    (line,) = annotation_lines(of_gates(gate("error", "100 %\n::error::x", 'a.f1["x,y:z"] >= 1')), ACTIONS)
    assert line.endswith('title=ERROR%3A a.f1["x%2Cy%3Az"] >= 1::100 %25; ::error::x')
    assert "\n" not in line


def test_elsewhere_nothing_is_annotated():
    assert annotation_lines(of_gates(gate("fail")), {}) == []


def test_the_summary_is_appended_to(tmp_path: Path):
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    append_step_summary(of_gates(gate("fail")), {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text().startswith("before\n## ❌ Banking intents: 0 of 1 gates hold, 1 fails")
