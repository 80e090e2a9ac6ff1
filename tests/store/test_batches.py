"""The log of batches that are under way."""

from __future__ import annotations

from pathlib import Path

from pytest_modelcompare.store.batches import BatchLog
from pytest_modelcompare.store.folders import StoreFolders


def test_a_book_knows_every_batch_that_ever_was(tmp_path: Path):
    log = BatchLog(StoreFolders(tmp_path))
    log.opened("one", "a", ["k" * 64])
    log.opened("other", "b", ["l" * 64])
    log.closed("one", "a")
    assert set(log.known()) == {"a", "b"}
    assert log.open("one") == {}


def test_a_torn_line_in_the_log_is_left_behind(tmp_path: Path):
    book = BatchLog(StoreFolders(tmp_path))
    book.opened("m", "b1", ["a" * 64])
    with book.path.open("ab") as file:
        file.write(b'{"batch": "b2", "serv')
    book.opened("m", "b3", ["c" * 64])
    book.opened("other", "b4", ["d" * 64])
    book.closed("m", "b1")
    assert dict(book.open("m")) == {"b3": ("c" * 16,)}


def test_a_batch_about_to_be_sent_is_unheard_of_until_it_is_named_or_known_not_to_exist(tmp_path: Path):
    log = BatchLog(StoreFolders(tmp_path))
    log.sending("m", ["a" * 64])
    log.sending("m", ["b" * 64])
    log.sending("m", ["c" * 64])
    log.opened("m", "b1", ["a" * 64])
    log.unsent("m", ["b" * 64])
    assert [one.keys for one in log.unheard("m")] == [("c" * 16,)]
    assert log.unheard("other") == []
    assert dict(log.open("m")) == {"b1": ("a" * 16,)}
    [opened] = [one for one in log.under_way() if one.batch]
    assert opened.at is not None


def test_lines_of_an_older_version_are_read(tmp_path: Path):
    log = BatchLog(StoreFolders(tmp_path))
    log.path.parent.mkdir(parents=True, exist_ok=True)
    log.path.write_text('{"batch": "b1", "service": "m", "keys": ["aa"]}\n')
    [one] = log.under_way()
    assert (one.batch, one.at) == ("b1", None)


def test_lines_that_somebody_spoiled_count_for_nothing(tmp_path: Path):
    log = BatchLog(StoreFolders(tmp_path))
    log.path.parent.mkdir(parents=True, exist_ok=True)
    log.path.write_text(
        '{"service": 5, "keys": 7}\n[]\n{"service": "m", "batch": "b0", "keys": "aa"}\n'
        '{"service": "m", "batch": "b1", "keys": ["aa"], "at": "soon"}\n'
    )
    assert [(one.batch, one.at) for one in log.under_way()] == [("b1", None)]
