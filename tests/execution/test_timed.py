"""Timing takes as long as the gates ask for, and what was measured for fewer is not taken for more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.judging import verdict_on
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.execution.summary import suite_report
from pytest_modelcompare.records import Outcomes
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.reports.notes import notes
from pytest_modelcompare.reports.table import LEGEND_OF_ABOUT
from pytest_modelcompare.suite.load import load_suite
from tests.pytest_plugin.conftest import HAM, SPAM, rows, write

SUITE = """\
modelcompare: 1
data: {train: train.csv, test: test.csv}
compute: {price_per_hour: 0.1, utilisation: 0.5}
contestants:
  words: {tfidf: {}}
  letters: {tfidf: {}, C: 0.1}
gates:
  - GATE
"""
QUALITY, EASY, TIGHT = "words.accuracy >= 0.5", "words.latency_p95_ms <= 10000", "words.latency_p95_ms <= LIMIT"
COST = "words beats letters on cost_per_1k by 0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "train.csv", ["text", "label"], [*rows(SPAM, "spam", 0, 20), *rows(HAM, "ham", 0, 20)])
    write(tmp_path / "test.csv", ["text", "label"], [*rows(SPAM, "spam", 20, 10), *rows(HAM, "ham", 20, 10)])
    return tmp_path


def comparison_of(folder: Path, gate: str, session: str) -> Comparison:
    path = folder / "mine.modelcompare.yaml"
    path.write_text(SUITE.replace("GATE", gate))
    return Comparison(load_suite(path), Options(folder / "store", session=session), Ledger())


def prepared(folder: Path, gate: str, session: str, *, known: bool = True) -> Comparison:
    """A session with this gate alone.

    Args:
        known: False: nobody says which gates there will be, as in a Python test.
    """
    comparison = comparison_of(folder, gate, session)
    needs = comparison.needs(comparison.suite.gates) if known else comparison.everything()
    prepare([(comparison, needs)], Unwatched())
    return comparison


def extents(comparison: Comparison) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, timing in comparison.timings.items():
        assert timing.throughput is not None
        found[name] = (timing.latencies.extent, timing.throughput.extent)
    return found


def sessions(comparison: Comparison) -> set[str]:
    return {timing.latencies.session for timing in comparison.timings.values()}


def test_without_a_gate_on_speed_a_look_is_taken_and_marked(folder: Path):
    comparison = prepared(folder, QUALITY, "one")
    assert extents(comparison) == {"words": ("look", "look")}
    report = suite_report(comparison)
    about = {name for name, one in report.contestants["words"].metrics.items() if one.about}
    assert {"latency_p50_ms", "latency_p95_ms", "throughput_per_s", "cost_per_1k"} <= about
    assert about.isdisjoint({"accuracy", "f1", "train_cost", "size_mb"})
    assert notes(report)[0] == LEGEND_OF_ABOUT


def test_a_gate_on_latency_is_measured_until_it_is_decided_and_its_costs_are_a_look(folder: Path):
    comparison = prepared(folder, EASY, "one")
    assert extents(comparison) == {"words": ("until_decided", "look")}
    assert verdict_on(comparison, comparison.suite.gates[0]).outcome is Outcomes.PASS
    figures = suite_report(comparison).contestants["words"].metrics
    assert not figures["latency_p95_ms"].about
    assert figures["cost_per_1k"].about


def test_a_gate_on_costs_measures_the_throughput_of_both_sides(folder: Path):
    comparison = prepared(folder, COST, "one")
    assert {latency for latency, _ in extents(comparison).values()} == {"look"}
    assert {throughput for _, throughput in extents(comparison).values()} <= {"until_decided", "whole"}


def test_a_look_does_not_answer_a_gate_and_what_was_measured_for_a_gate_answers_a_look(folder: Path):
    assert sessions(prepared(folder, QUALITY, "one")) == {"one"}
    assert sessions(prepared(folder, EASY, "two")) == {"two"}
    assert sessions(prepared(folder, QUALITY, "three")) == {"two"}
    assert sessions(prepared(folder, EASY, "four")) == {"two"}


def test_what_ended_when_another_gate_was_decided_is_measured_anew_unless_it_decides_this_one_too(folder: Path):
    prepared(folder, EASY, "one")
    (stored,) = (folder / "store" / "timings").glob("*.json")
    facts = json.loads(stored.read_text())
    restless = 10 * np.exp(0.5 * np.random.default_rng(0).standard_normal(200))
    for run in facts["runs"].values():
        run |= {"milliseconds": restless.tolist(), "blocks": (np.arange(200) // 20).tolist()}
    stored.write_text(json.dumps(facts))
    far, near = 100 * np.quantile(restless, 0.95), np.quantile(restless, 0.95)
    assert sessions(prepared(folder, TIGHT.replace("LIMIT", f"{far:.3f}"), "two")) == {"one"}
    assert sessions(prepared(folder, TIGHT.replace("LIMIT", f"{near:.3f}"), "three")) == {"three"}


def test_what_ended_early_is_not_taken_where_any_gate_may_follow(folder: Path):
    assert extents(prepared(folder, EASY, "one"))["words"][0] == "until_decided"
    again = comparison_of(folder, EASY, "two")
    needs = again.needs(again.suite.gates)
    prepare([(again, type(needs)(needs.contestants, timed=True, named=needs.named))], Unwatched())
    assert extents(again) == {"words": ("whole", "whole")}
    assert sessions(again) == {"two"}


def test_where_the_gates_are_not_known_nothing_is_measured_until_one_asks_and_then_whole(folder: Path):
    comparison = prepared(folder, QUALITY, "one", known=False)
    assert set(extents(comparison).values()) == {("look", "look")}
    needs = comparison.needs(comparison.suite.gates)
    python_test = type(needs)(needs.contestants, timed=True, named=needs.named)
    prepare([(comparison, python_test)], Unwatched())
    assert extents(comparison)["words"] == ("whole", "whole")
