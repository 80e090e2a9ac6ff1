"""How often rows were judged, and with how many distinct models."""

from __future__ import annotations

from pathlib import Path

from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.judgements import JOURNAL, note_judgements, read_judgements


def test_sessions_and_distinct_models_are_counted_by_gate(tmp_path: Path):
    folders = StoreFolders(tmp_path / "store")
    note_judgements(folders, "rows", "monday", {"g": "m1+llm", "h": "m1"})
    note_judgements(folders, "rows", "tuesday", {"g": "m2+llm"})
    note_judgements(folders, "rows", "wednesday", {"g": "m2+llm"})
    note_judgements(folders, "other rows", "thursday", {"g": "m3+llm"})
    found = read_judgements(folders, "rows")
    assert (found.of("g").times, found.of("g").models) == (3, 2)
    assert (found.of("h").times, found.of("h").models) == (1, 1)
    assert (found.of_rows.times, found.of_rows.models) == (3, 3)  # m1, m2 and the LLM
    assert found.of("never").times == 0


def test_the_session_under_way_counts_once(tmp_path: Path):
    folders = StoreFolders(tmp_path / "store")
    note_judgements(folders, "rows", "monday", {"g": "m1"})
    known = read_judgements(folders, "rows").of("g")
    assert known.and_now("tuesday", "m2").times == 2
    assert known.and_now("tuesday", "m1").models == 1
    assert known.and_now("monday", "m1").times == 1  # another worker of the same session


def test_a_torn_line_counts_for_nothing(tmp_path: Path):
    folders = StoreFolders(tmp_path / "store")
    note_judgements(folders, "rows", "monday", {"g": "m1"})
    with (folders.root / JOURNAL).open("a") as file:
        file.write('{"rows": "rows", "sess')
    note_judgements(folders, "rows", "tuesday", {"g": "m1"})
    assert read_judgements(folders, "rows").of("g").times == 2
