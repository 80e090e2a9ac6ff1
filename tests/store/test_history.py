"""The history: a line per session and suite, short where nothing is new."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.records import Predictions
from pytest_modelcompare.records.history import ContestantThen, GateThen, Revision, SessionThen
from pytest_modelcompare.records.report import MetricReport
from pytest_modelcompare.store.answered import AnsweredStore, TestRows, answers_digest
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.history import JOURNAL, note_session, read_history, suite_key


def session(name: str, day: int, value: float = 0.9, suite: str = "spam.modelcompare.yaml") -> SessionThen:
    figures = {"accuracy": MetricReport(value, value - 0.02, value + 0.02, 200)}
    return SessionThen(
        name,
        f"2026-03-{day:02d}T10:00:00+00:00",
        suite,
        "Spam",
        Revision(f"{day:040x}", "main"),
        "AMD EPYC, 2 cores",
        "digest",
        0.95,
        {"words": ContestantThen("tfidf", None, figures, ("f1",))},
        (GateThen("words.accuracy >= 0.8", "pass", None, value, value - 0.02, value + 0.02, 0.8),),
    )


@pytest.fixture
def folders(tmp_path: Path) -> StoreFolders:
    return StoreFolders(tmp_path / "store")


def lines(folders: StoreFolders) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folders.root / JOURNAL).read_text().splitlines()]


def test_what_is_noted_is_read_back(folders: StoreFolders):
    note_session(folders, session("a", 1))
    assert read_history(folders) == [session("a", 1)]


def test_a_suite_has_a_history_of_its_own(folders: StoreFolders):
    for one in (session("a", 1), session("a", 1, suite="other.modelcompare.yaml"), session("b", 2)):
        note_session(folders, one)
    assert [one.session for one in read_history(folders, "spam.modelcompare.yaml")] == ["a", "b"]
    assert len(read_history(folders)) == 3


def test_a_session_that_found_nothing_new_is_a_short_line(folders: StoreFolders):
    for day in (1, 2, 3):
        note_session(folders, session(f"s{day}", day))
    assert [line.get("as") for line in lines(folders)] == [None, "s1", "s1"]
    assert read_history(folders) == [session(f"s{day}", day) for day in (1, 2, 3)]


def test_a_short_line_repeats_the_newest_whole_one_alone(folders: StoreFolders):
    # back at .9 after .8: the first line is not the newest whole one any more
    for day, value in ((1, 0.9), (2, 0.8), (3, 0.9)):
        note_session(folders, session(f"s{day}", day, value))
    assert [line.get("as") for line in lines(folders)] == [None, None, None]


def test_a_torn_line_and_another_format_count_for_nothing(folders: StoreFolders):
    note_session(folders, session("a", 1))
    with (folders.root / JOURNAL).open("a") as file:
        file.write('{"format": 2, "suite": "spam.modelcompare.yaml"}\n{"format": 1, "sui')
    note_session(folders, session("b", 2, 0.7))
    assert [one.session for one in read_history(folders)] == ["a", "b"]


def test_figures_keep_six_digits_and_what_is_not_finite_is_left_out(folders: StoreFolders):
    one = session("a", 1)
    figures = {"accuracy": MetricReport(0.123456789, n=9), "ratio": MetricReport(inf)}
    note_session(folders, replace(one, contestants={"words": ContestantThen("tfidf", None, figures)}))
    (found,) = read_history(folders)
    assert found.contestants["words"].figures == {"accuracy": MetricReport(0.123457, n=9)}


def test_a_line_of_ten_contestants_and_twenty_gates_stays_below_20_kb(folders: StoreFolders):
    figures = {f"metric_{number}": MetricReport(0.123456, 0.123456, 0.123456, 10_000) for number in range(25)}
    row = ContestantThen("tfidf", "a model", figures, ("f" * 64,) * 3)
    gates = tuple(
        GateThen(f"c{number} beats c0 on accuracy by 0.02", "pass", None, 0.1, 0.1, 0.1) for number in range(20)
    )
    one = replace(session("a", 1), contestants={f"c{number}": row for number in range(10)}, gates=gates)
    note_session(folders, one)
    assert (folders.root / JOURNAL).stat().st_size < 20_000


def test_a_suite_is_known_by_its_path_in_the_checkout(tmp_path: Path):
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    suite = tmp_path / "repo" / "suites" / "spam.modelcompare.yaml"
    assert suite_key(suite, tmp_path / "elsewhere" / "store") == "suites/spam.modelcompare.yaml"
    assert suite_key(tmp_path / "plain.yaml", tmp_path / ".modelcompare") == "plain.yaml"


def test_kept_answers_and_rows_are_read_back(folders: StoreFolders):
    store, answers = AnsweredStore(folders), (Predictions(np.array([1, -1, 0])), Predictions(np.array([1, 1, 0])))
    store.keep_answers(answers)
    store.keep_rows("d" * 64, TestRows(("ham", "spam"), np.array([1, 1, 0]), np.array([5, 5, 6])))
    found, rows = store.answers(answers_digest(answers)), store.rows("d" * 64)
    assert found is not None
    assert [one.labels.tolist() for one in found] == [[1, -1, 0], [1, 1, 0]]
    assert rows is not None
    assert (rows.labels, rows.truth.tolist(), rows.groups.tolist()) == (("ham", "spam"), [1, 1, 0], [5, 5, 6])
    assert store.answers("unknown") is None
