"""One budget for all processes of a session."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.spending import SpendingLog


def test_what_other_processes_of_the_session_spent_is_added_up_by_suite(tmp_path: Path):
    log = SpendingLog(StoreFolders(tmp_path), "s1")
    log.add("a.yaml", 0.5)  # by this process
    lines = [("s1", "a.yaml", 0.25), ("s1", "b.yaml", 0.125), ("s0", "a.yaml", 8.0)]
    with log.path.open("a") as file:
        for session, suite, usd in lines:
            file.write(json.dumps({"session": session, "suite": suite, "process": -1, "usd": usd}) + "\n")
        file.write('{"session": "s1", "su')  # killed while it wrote
    assert log.of_others() == 0.375
    assert log.of_others("a.yaml") == 0.25


def test_what_killed_processes_spent_is_that_of_nobody_who_was_heard_of(tmp_path: Path):
    log = SpendingLog(StoreFolders(tmp_path), "s1")
    log.add("a.yaml", 0.5, 2)
    with log.path.open("a") as file:
        for process, usd in ((-1, 0.25), (-2, 0.125)):
            file.write(json.dumps({"session": "s1", "suite": "a", "process": process, "usd": usd, "calls": 1}) + "\n")
    assert log.of_lost({os.getpid(), -1}) == (0.125, 1)


def test_nothing_spent_leaves_no_line(tmp_path: Path):
    log = SpendingLog(StoreFolders(tmp_path), "s1")
    log.add("a.yaml", 0.0)
    assert not log.path.exists()
    assert log.of_others() == 0.0
