"""The page's table of contestants, and what it says of each."""

from __future__ import annotations

from pytest_modelcompare.records.report import ContestantReport, MetricReport, SuiteReport
from pytest_modelcompare.reports.html.contestants_table import table_rows, titles
from pytest_modelcompare.reports.html.measured import about_contestant
from pytest_modelcompare.reports.winners import winners


def suite(**figures: dict[str, float]) -> SuiteReport:
    rows = {
        name: ContestantReport("tfidf", None, True, metrics={key: MetricReport(value) for key, value in own.items()})
        for name, own in figures.items()
    }
    return SuiteReport("s.modelcompare.yaml", "S", {}, rows, [])


def test_a_coverage_that_is_whole_everywhere_takes_no_column():
    whole = {"accuracy": 0.9, "coverage": 1.0}
    assert titles(suite(a=whole, b=whole)) == ["accuracy"]
    assert titles(suite(a=whole, b={"accuracy": 0.9, "coverage": 0.98})) == ["accuracy", "coverage"]


def test_what_trains_nothing_is_no_quick_training():
    one = suite(a={"train_seconds": 9.0}, b={"train_seconds": 5.0}, c={"train_seconds": 0.0})
    assert winners(one, "train_seconds") == {"b"}
    assert [row.cells[0].text for row in table_rows(one, {})] == ["9.0", "5.0", "–"]


def test_what_it_was_set_to_is_said_once_and_briefly():
    row = ContestantReport(
        "prompt", "openai:m", True, settings={"model": "openai:m", "shots": 8, "instructions": "x" * 900}
    )
    about = dict(about_contestant(row))
    assert about["settings"].startswith("shots: 8, instructions: xxx")
    assert len(about["settings"]) < 160
