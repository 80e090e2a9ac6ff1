"""Two sessions side by side: paired where rows and answers are known, else unpaired or not compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.execution.changes import changes
from pytest_modelcompare.execution.figure_change import Change
from pytest_modelcompare.records import Predictions
from pytest_modelcompare.records.history import ContestantThen, GateThen, SessionThen
from pytest_modelcompare.records.report import MetricReport
from pytest_modelcompare.store.answered import AnsweredStore, TestRows, answers_digest
from pytest_modelcompare.store.folders import StoreFolders

TRUTH = np.zeros(200, np.int64)


@pytest.fixture
def store(tmp_path: Path) -> StoreFolders:
    folders = StoreFolders(tmp_path / "store")
    AnsweredStore(folders).keep_rows("rows", TestRows(("ham", "spam"), TRUTH))
    return folders


def judged(store: StoreFolders, wrong: dict[str, int], *gates: GateThen, rows: str = "rows") -> SessionThen:
    """A session in which each contestant errs on the first so many of 200 rows."""
    contestants = {}
    for name, count in wrong.items():
        answers = (Predictions(np.where(np.arange(200) < count, 1, 0)),)
        AnsweredStore(store).keep_answers(answers)
        value = 1 - count / 200
        figures = {"accuracy": MetricReport(value, value - 0.04, value + 0.03, 200)}
        contestants[name] = ContestantThen("predictions", None, figures, answers=answers_digest(answers))
    return SessionThen("s", "2026-03-01T10:00:00+00:00", "k", "Spam", rows=rows, contestants=contestants, gates=gates)


def gate(sentence: str, value: float | None, name: str | None = None) -> GateThen:
    bounds = (None, None) if value is None else (value - 0.04, value + 0.03)
    return GateThen(sentence, "pass", name, value, *bounds, threshold=0.5)


def found(store: StoreFolders, before: SessionThen, after: SessionThen, what: str) -> Change:
    return next(one for one in changes(before, after, store) if one.what == what)


def test_the_same_rows_are_compared_in_pairs(store: StoreFolders):
    # 20 more rows are wrong, none is right that was wrong: -20/200
    one = found(store, judged(store, {"a": 10}), judged(store, {"a": 30}), "a.accuracy")
    assert one.value == pytest.approx(-0.1)
    assert one.how.startswith("paired")
    assert one.shown
    assert -0.15 < float(one.low or 0) < float(one.high or 0) < -0.06


def test_a_difference_of_two_is_compared_as_a_difference(store: StoreFolders):
    # a - b was .95 - .90, is .85 - .90: -.10
    sentence = "a beats b on accuracy"
    before = judged(store, {"a": 10, "b": 20}, gate(sentence, 0.05))
    after = judged(store, {"a": 30, "b": 20}, gate(sentence, -0.05))
    one = found(store, before, after, sentence)
    assert one.value == pytest.approx(-0.1)
    assert one.how.startswith("paired")


def test_identical_answers_are_no_change(store: StoreFolders):
    one = found(store, judged(store, {"a": 10}), judged(store, {"a": 10}), "a.accuracy")
    assert (one.value, one.low, one.high, one.how, one.shown) == (0.0, 0.0, 0.0, "identical answers", False)


def test_other_rows_are_compared_by_their_intervals(store: StoreFolders):
    # .95 and .85: -.10, hypot(.04, .03) = .05 to either side
    one = found(store, judged(store, {"a": 10}), judged(store, {"a": 30}, rows="others"), "a.accuracy")
    assert one.how == "unpaired: the test rows changed"
    assert (round(float(one.low or 0), 9), round(float(one.high or 0), 9)) == (-0.15, -0.05)


def test_answers_that_are_gone_are_compared_by_their_intervals(store: StoreFolders):
    before, after = judged(store, {"a": 10}), judged(store, {"a": 30})
    gone = replace(before, contestants={"a": replace(before.contestants["a"], answers="pruned")})
    assert found(store, gone, after, "a.accuracy").how == "unpaired: answers are no longer in the store"


def test_times_of_two_sessions_are_not_compared(store: StoreFolders):
    sentence = "a.latency_p95_ms <= 20"
    before, after = (judged(store, {"a": 10}, gate(sentence, value)) for value in (12.0, 15.0))
    one = found(store, before, after, sentence)
    assert (one.value, one.how) == (None, "of different sessions: not compared")


def test_gates_come_and_go_and_keep_their_name(store: StoreFolders):
    before = judged(store, {"a": 10}, gate("a.accuracy >= 0.5", 0.95, "good"), gate("a.f1 >= 0.5", 0.9))
    after = judged(store, {"a": 10}, gate("a.accuracy >= 0.6", 0.95, "good"), gate("a.recall >= 0.5", 0.9))
    how = {one.what: one.how for one in changes(before, after, store)}
    assert how["a.accuracy >= 0.6"] == "identical answers"
    assert (how["a.recall >= 0.5"], how["a.f1 >= 0.5"]) == ("is new", "is gone")
