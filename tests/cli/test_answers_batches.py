"""`modelcompare answers batches`: what is under way, and a way out of waiting for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_modelcompare.cli import main
from pytest_modelcompare.llm.provider import service_name
from pytest_modelcompare.store.batches import BatchLog
from pytest_modelcompare.store.folders import StoreFolders

SERVICE = service_name("anthropic:claude-haiku-5-5", "https://me:s3cret@proxy")


@pytest.fixture
def log(tmp_path: Path) -> BatchLog:
    return BatchLog(StoreFolders(tmp_path))


def batches(tmp_path: Path, *arguments: str) -> int:
    return main(["answers", "batches", *arguments, "--store", str(tmp_path)])


def test_batches_are_listed_with_their_size_and_none_of_the_password(
    tmp_path: Path, log: BatchLog, capsys: pytest.CaptureFixture[str]
):
    assert batches(tmp_path) == 0
    log.sending(SERVICE, ["b" * 64])  # no id yet: nothing to be given up by one
    log.opened(SERVICE, "b1", ["a" * 64, "c" * 64])
    log.opened(SERVICE, "b2", ["d" * 64])
    log.closed(SERVICE, "b2")
    assert batches(tmp_path) == 0
    nothing, one = capsys.readouterr().out.splitlines()
    assert nothing == f"{tmp_path}: no batch is under way"
    assert one.startswith("b1: 2 requests to anthropic:claude-haiku-5-5 https://proxy, sent 20")
    assert "s3cret" not in log.path.read_text()


def test_one_that_is_given_up_is_not_waited_for_any_more(
    tmp_path: Path, log: BatchLog, capsys: pytest.CaptureFixture[str]
):
    log.opened(SERVICE, "b1", ["a" * 64])
    log.opened(SERVICE, "b2", ["b" * 64])
    assert batches(tmp_path, "--forget", "b1") == 0
    assert "given up" in capsys.readouterr().out
    assert list(log.open(SERVICE)) == ["b2"]
    assert batches(tmp_path, "--forget", "b1") == 1
    assert "no batch `b1` is under way" + os.linesep + "  under way are b2" in capsys.readouterr().err
