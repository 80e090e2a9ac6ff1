"""Pruning: what no session used for long goes, answers only when asked."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_modelcompare.records.history import ContestantThen
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.forgetting import forget_answers
from pytest_modelcompare.store.history import note_session
from pytest_modelcompare.store.lines import locked
from pytest_modelcompare.store.pruning import remove, unused
from pytest_modelcompare.store.sizes import sizes
from tests.store.test_history import session

NOW = datetime(2026, 3, 31, tzinfo=UTC)


@pytest.fixture
def folders(tmp_path: Path) -> StoreFolders:
    return StoreFolders(tmp_path / "store")


def keep_run(folders: StoreFolders, fingerprint: str, day: int) -> Path:
    folder = folders.runs / fingerprint / f"2026-03-{day:02d}T100000-abc"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"created": f"2026-03-{day:02d}T10:00:00+00:00"}))
    (folder / "weights.bin").write_bytes(b"w" * 1000)
    return folder


def test_an_old_run_that_no_session_used_since_goes(folders: StoreFolders):
    old, new = keep_run(folders, "old", 1), keep_run(folders, "new", 30)
    (found,) = unused(folders.root, NOW - timedelta(days=10))
    assert (found.path, found.size >= 1000) == (old, True)
    remove(folders.root, found)
    assert not old.parent.exists()
    assert new.exists()


def test_a_run_that_is_replayed_is_never_old(folders: StoreFolders):
    keep_run(folders, "f1", 1)
    note_session(folders, session("a", 30))  # its contestant's run is f1
    assert list(unused(folders.root, NOW - timedelta(days=10))) == []
    assert len(list(unused(folders.root, NOW))) == 1


def test_what_is_accepted_is_kept(folders: StoreFolders):
    keep_run(folders, "accepted", 1)
    assert list(unused(folders.root, NOW, kept={"accepted"})) == []


def test_kept_answers_go_when_no_recent_session_names_them(folders: StoreFolders):
    rows = {"llm": ContestantThen("prompt", answers="named")}
    note_session(folders, replace(session("a", 30), contestants=rows))
    long_ago = (NOW - timedelta(days=300)).timestamp()
    for name in ("named", "forgotten"):
        path = folders.answered / f"{name}.npz"
        path.write_bytes(b"")
        os.utime(path, (long_ago, long_ago))
    assert [one.path.stem for one in unused(folders.root, NOW - timedelta(days=10))] == ["forgotten"]


def test_answers_are_forgotten_by_their_date(folders: StoreFolders):
    journal = AnswerJournal(folders)
    for day in (1, 30):
        journal.put(f"key{day}", {"created": f"2026-03-{day:02d}T10:00:00+00:00", "text": "spam"})
    before = NOW - timedelta(days=10)
    assert forget_answers(folders.root, before, dry=True) == 1
    assert journal.get("key1") is not None
    assert forget_answers(folders.root, before) == 1
    assert journal.get("key1") is None
    assert journal.get("key30") == {"created": "2026-03-30T10:00:00+00:00", "text": "spam"}


def test_who_waited_for_a_journal_that_was_replaced_writes_into_the_new_one(folders: StoreFolders):
    journal = AnswerJournal(folders)
    journal.put("a", {"text": "1"})
    with journal.path.open("rb") as waited_for:
        shorter = journal.path.with_name("shorter")
        shorter.write_bytes(b"")
        shorter.replace(journal.path)
        with locked(journal.path) as descriptor:
            assert os.fstat(descriptor).st_ino != os.fstat(waited_for.fileno()).st_ino
    journal.put("b", {"text": "2"})
    assert journal.get("b") == {"text": "2"}


def test_sizes_are_counted_by_kind(folders: StoreFolders):
    keep_run(folders, "f1", 1)
    AnswerJournal(folders).put("a", {"text": "1"})
    found = {one.kind: one for one in sizes(folders.root)}
    assert found["runs"].entries == 1
    assert found["runs"].size > 1000
    assert found["answers"].size > 0
