"""The answer journal: nothing paid for is lost."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders


@pytest.fixture
def folders(tmp_path: Path) -> StoreFolders:
    return StoreFolders(tmp_path / "store")


def test_an_answer_is_found_by_another_journal_at_once(folders: StoreFolders):
    AnswerJournal(folders).put("k1", {"text": "ham"})
    assert AnswerJournal(folders).get("k1") == {"text": "ham"}
    assert AnswerJournal(folders).get("k2") is None


def test_the_newest_answer_under_a_key_counts(folders: StoreFolders):
    journal = AnswerJournal(folders)
    journal.put("k", {"text": "ham"})
    assert journal.get("k") == {"text": "ham"}
    journal.put("k", {"text": "spam"})
    assert journal.get("k") == {"text": "spam"}


def test_a_torn_last_line_costs_only_itself(folders: StoreFolders):
    journal = AnswerJournal(folders)
    journal.put("k1", {"text": "ham"})
    with journal.path.open("ab") as file:
        file.write(b'{"key": "k2", "te')
    journal.put("k3", {"text": "spam"})
    fresh = AnswerJournal(folders)
    assert [fresh.get(key) for key in ("k1", "k2", "k3")] == [{"text": "ham"}, None, {"text": "spam"}]


def test_the_index_is_rebuilt_from_the_journal(folders: StoreFolders):
    AnswerJournal(folders).put("k", {"text": "ham"})
    assert AnswerJournal(folders).get("k") is not None
    folders.index.write_bytes(b"no database " * 100)
    folders.index.with_name("index.sqlite-wal").unlink(missing_ok=True)
    assert AnswerJournal(folders).get("k") == {"text": "ham"}


def _put_many(root: str, name: str) -> None:
    journal = AnswerJournal(StoreFolders(Path(root)))
    for number in range(200):
        journal.put(f"{name}{number}", {"text": "é" * number})
        assert journal.get(f"{name}{number}") is not None


def test_two_processes_write_at_once(folders: StoreFolders):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_put_many, args=(str(folders.root), name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    journal = AnswerJournal(folders)
    assert all(journal.get(f"{name}{number}") == {"text": "é" * number} for name in "ab" for number in range(200))


def test_a_full_disk_is_said_and_leaves_the_journal_whole(folders: StoreFolders, monkeypatch: pytest.MonkeyPatch):
    journal = AnswerJournal(folders)
    journal.put("k1", {"text": "ham"})
    before = journal.path.read_bytes()
    real_write = __import__("os").write

    def half_a_write(descriptor: int, data: bytes) -> int:
        return real_write(descriptor, data[: len(data) // 2])

    monkeypatch.setattr("os.write", half_a_write)
    with pytest.raises(StoreError, match="no space left"):
        journal.put("k2", {"text": "spam"})
    assert journal.path.read_bytes() == before


def test_a_store_that_is_a_file_is_refused_in_words(tmp_path: Path):
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="the store cannot be used"):
        AnswerJournal(StoreFolders(tmp_path / "store")).put("k", {})
