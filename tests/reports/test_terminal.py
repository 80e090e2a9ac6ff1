"""The summary, as somebody reads it."""

from __future__ import annotations

import re
from dataclasses import replace

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
    assert "5.2/8.0" in text
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


def lines_of(report: SessionReport, width: int = 100) -> list[str]:
    return rendered(report, width=width, colour=False).splitlines()


def with_rows(**accuracies: tuple[float, float]) -> SessionReport:
    """Contestants with an accuracy and half the width of its interval, and a reference line."""
    report = a_report()

    def row(method: str, value: float, half: float) -> ContestantReport:
        return ContestantReport(
            method, None, stored=True, metrics={"accuracy": MetricReport(value, value - half, value + half, 100)}
        )

    rows = {name: row("tfidf", *known) for name, known in accuracies.items()}
    suite = replace(report.suites[0], contestants=rows, references={"(majority)": row("reference", 0.95, 0.01)})
    return replace(report, suites=[suite])


def test_the_verdict_stands_below_the_name():
    assert lines_of(a_report())[1] == "  1 of 2 gates hold, 1 fails"


def test_the_best_of_a_column_is_marked_and_a_reference_line_never_is():
    found = lines_of(with_rows(a=(0.9, 0.01), b=(0.8, 0.01)))
    assert ".900 (.890–.910)*" in next(line for line in found if line.startswith("a "))
    assert ".800 (.790–.810)" in next(line for line in found if line.startswith("b "))
    marked = [line for line in found if "*" in line]
    assert [line[:3] for line in marked] == ["a  ", "  *"]


def test_a_mark_moves_no_number():
    found = [line for line in lines_of(with_rows(a=(0.9, 0.01), b=(0.8, 0.01))) if line[:2] in ("a ", "b ", "(m")]
    assert found[0].index(".900") == found[1].index(".800") == found[2].index(".950")


@pytest.mark.parametrize(
    ("half", "shown"), [(0.08, ".87 (.79–.95)"), (0.012, ".870 (.858–.882)"), (0.002, ".8700 (.8680–.8720)")]
)
def test_a_figure_has_the_decimals_that_its_interval_supports(half: float, shown: str):
    assert any(shown in line for line in lines_of(with_rows(a=(0.87, half), b=(0.87, half))))


def test_gates_that_hold_stand_apart_below_the_others():
    found = lines_of(a_report(), 120)
    fail = next(number for number, line in enumerate(found) if "FAIL" in line)
    assert found[fail + 1] == ""
    assert "PASS" in found[fail + 2]


def test_where_one_gate_has_no_room_beside_its_sentence_all_outcomes_stand_first():
    found = [line.split()[0] for line in lines_of(a_report(gate="minilm." + "x" * 60), 80) if "minilm." in line]
    assert found == ["FAIL", "PASS"]


def test_each_session_of_a_sparkline_has_the_colour_of_its_outcome():
    report = a_report()
    sessions = [
        {"created": f"2026-01-0{day}", "outcome": outcome, "value": float(day)}
        for day, outcome in ((1, "fail"), (2, "pass"))
    ]
    suite = replace(report.suites[0], history={"minilm.accuracy >= 0.90": sessions})
    text = rendered(replace(report, suites=[suite]), width=200, colour=True)
    assert "\x1b[31m▁\x1b[0m\x1b[32m█\x1b[0m" in text


def test_what_to_do_about_an_error_stands_apart_from_what_is_wrong():
    text = rendered(a_report(outcome="error", message="a gives no scores\n  gate on f1"), width=200, colour=False)
    assert "a gives no scores; gate on f1" in text


def test_no_outcome_is_lost_on_a_light_background():
    # yellow, white and the bright colours are drawn pale by most light themes
    text = "".join(
        rendered(a_report(outcome=one), width=100, colour=True) for one in ("fail", "undecided", "error", "skipped")
    )
    codes = {int(code) for found in re.findall(r"\x1b\[([\d;]*)m", text) for code in found.split(";") if code}
    assert not codes & {33, 37, *range(90, 98)}
    assert codes & {31, 32, 35}


def test_a_table_too_wide_drops_a_column_rather_than_cut_a_word():
    rows = with_rows(a=(0.9, 0.01), b=(0.8, 0.01))
    suite = rows.suites[0]
    metrics = {name: MetricReport(0.5) for name in ("f1", "auroc", "latency_p50_ms", "latency_p95_ms", "cost_per_1k")}
    wide = {
        name * 16: replace(row, metrics={**row.metrics, **metrics}, stored=True)
        for name, row in suite.contestants.items()
    }
    text = rendered(replace(rows, suites=[replace(suite, contestants=wide)]), width=76, colour=False)
    assert "AUROC" not in text
    assert "…" not in text


def test_no_text_of_the_data_steers_the_terminal():
    clear = "\x1b[2J"
    row = {"id": "1", "text": clear, "label": clear, "left": clear, "right": clear, "alone": "right"}
    flipped = {"left": "a", "right": "b", "left_alone": 0, "right_alone": 1}
    report = a_report(
        gate=f'a.f1["{clear}"] >= 0.5',
        message=clear,
        flipped={**flipped, "rows": [{**row, "confidence": None, "confidence_of": "left"}]},
    )
    suite = replace(report.suites[0], name=clear, data={**report.suites[0].data, "warnings": [clear]})
    text = rendered(replace(report, suites=[suite]), width=100, colour=False)
    assert "\x1b" not in text
    assert text.count("\\x1b[2J") >= 6
