"""Metrics that a project added stand in every table, also where nobody knows the conftest that added them."""

from __future__ import annotations

import json
from dataclasses import replace

from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.records.report import (
    ContestantReport,
    GateReport,
    MetricReport,
    OwnMetricReport,
    SessionReport,
    Spend,
    SuiteReport,
)
from pytest_modelcompare.reports.html.contestants_table import table_rows, titles
from pytest_modelcompare.reports.json_report import render_json
from pytest_modelcompare.reports.markdown_report import render_markdown
from pytest_modelcompare.reports.terminal import rendered

DAMAGE = OwnMetricReport("Damage done by wrong answers, per text.", "USD", higher_is_better=False)


def row(accuracy: float, damage: float) -> ContestantReport:
    metrics = {
        "accuracy": MetricReport(accuracy, accuracy - 0.01, accuracy + 0.01, 900),
        "f1": MetricReport(accuracy),
        "auroc": MetricReport(accuracy),
        "damage_usd": MetricReport(damage, damage - 0.012, damage + 0.012, 900),
        "latency_p50_ms": MetricReport(5.0),
        "latency_p95_ms": MetricReport(9.0),
        "cost_per_1k": MetricReport(0.00031),
    }
    return ContestantReport("tfidf", None, stored=True, metrics=metrics)


def report(**own: OwnMetricReport) -> SessionReport:
    rows = {"words": row(0.93, 0.05), "minilm": row(0.92, 0.034)}
    gates = [GateReport("words.damage_usd <= 0.1", None, "s::x", 9, "pass", "0.05 USD")]
    suite = SuiteReport("s.modelcompare.yaml", "S", {}, rows, gates, own_metrics=own)
    return SessionReport("2026-01-01T00:00:00+00:00", {}, Spend(), [suite])


def test_the_terminal_has_a_column_with_decimals_by_the_interval_and_the_best_marked_in_its_direction():
    assert "damage_usd" not in METRICS  # no conftest here
    lines = rendered(report(damage_usd=DAMAGE), width=100, colour=False).splitlines()
    assert "damage_usd" in next(line for line in lines if line.startswith("contestant"))
    assert " 0.050 " in next(line for line in lines if line.startswith("words"))
    assert " 0.034* " in next(line for line in lines if line.startswith("minilm"))
    assert "  damage_usd: Damage done by wrong answers, per text, in USD; lower is better" in lines


def test_in_a_narrow_terminal_ranking_gives_way_to_it():
    found = rendered(report(damage_usd=DAMAGE), width=80, colour=False).splitlines()
    head = next(line for line in found if line.startswith("contestant"))
    assert "damage_usd" in head
    assert "AUROC" not in head
    assert "AUROC" in rendered(report(), width=80, colour=False)
    assert max(map(len, found)) <= 80


def test_markdown_and_the_page_have_it_too():
    assert "| damage\\_usd |" in render_markdown(report(damage_usd=DAMAGE))
    assert "| **0.034** |" in render_markdown(report(damage_usd=DAMAGE))
    suite = report(damage_usd=DAMAGE).suites[0]
    place = titles(suite).index("damage_usd")
    cells = [one.cells[place] for one in table_rows(suite, {})]
    assert [(one.text, one.interval, one.best) for one in cells] == [
        ("0.050", "0.038–0.062", False),
        ("0.034", "0.022–0.046", True),
    ]


def test_a_share_has_no_leading_zero():
    text = rendered(report(damage_usd=replace(DAMAGE, unit="")), width=100, colour=False)
    assert " .034* " in text


def test_a_stored_report_brings_it_along():
    stored = SessionReport.from_json(json.loads(render_json(report(damage_usd=DAMAGE))))
    assert stored == report(damage_usd=DAMAGE)
    assert rendered(stored, width=100, colour=False) == rendered(report(damage_usd=DAMAGE), width=100, colour=False)


def test_those_that_a_gate_names_stand_first():
    suite = report(aaa=DAMAGE, damage_usd=DAMAGE).suites[0]
    rows = {
        name: replace(one, metrics={**one.metrics, "aaa": one.metrics["accuracy"]})
        for name, one in suite.contestants.items()
    }
    assert titles(replace(suite, contestants=rows))[:3] == ["accuracy", "damage_usd", "aaa"]
