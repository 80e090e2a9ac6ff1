"""The accepted record: small, whole, and the first baselines stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.records.accepted import AcceptedAnswers, AcceptedEntry, AcceptedFigure, AcceptedRecord
from pytest_modelcompare.store.accepted import answers_key, merged, read_accepted, write_accepted


def answers(start: int = 0, *, with_scores: bool = False) -> AcceptedAnswers:
    labels = (np.arange(6) + start).reshape(1, 6) % 3 - 1
    surprise = np.linspace(0, 34, 18).reshape(1, 6, 3).astype(np.float16) if with_scores else None
    return AcceptedAnswers(labels, ("a", "b", "ü"), surprise)


def record(date: str, *, key: str = "m.accuracy", start: int = 0, with_scores: bool = False) -> AcceptedRecord:
    kept = answers(start, with_scores=with_scores)
    figure = AcceptedFigure(date, 0.9, 0.01, 6, "rows", ("run",), answers_key(kept), 3, 2)
    return AcceptedRecord({key: AcceptedEntry(figure, figure)}, {figure.answers: kept})


def test_what_is_written_is_read_back(tmp_path: Path):
    path = tmp_path / "s.accepted.json"
    written = record("2026-01-01", with_scores=True)
    write_accepted(path, written)
    found = read_accepted(path)
    assert found.entries == written.entries
    (key,) = found.answers
    assert np.array_equal(found.answers[key].labels, written.answers[key].labels)
    assert found.answers[key].surprise is not None
    assert np.array_equal(found.answers[key].surprise, written.answers[key].surprise)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_first_baseline_stays_and_orphaned_answers_go():
    first, second, third = (record(f"2026-01-0{day}", start=day) for day in (1, 2, 3))
    whole = merged(merged(first, [second]), [third])
    entry = whole.entries["m.accuracy"]
    assert (entry.first.date, entry.latest.date, entry.times) == ("2026-01-01", "2026-01-03", 3)
    assert set(whole.answers) == {entry.first.answers, entry.latest.answers}
    assert len(whole.answers) == 2


def test_entries_that_are_not_accepted_anew_are_kept():
    whole = merged(record("2026-01-01", key="other.f1"), [record("2026-02-01")])
    assert set(whole.entries) == {"other.f1", "m.accuracy"}


def test_no_file_is_an_empty_record(tmp_path: Path):
    assert read_accepted(tmp_path / "none.json") == AcceptedRecord()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": 2}', '{"format": 1, "entries": {"a.b": {}}, "answers": {}}']
)
def test_a_broken_record_is_refused_not_replaced(tmp_path: Path, content: str):
    path = tmp_path / "s.accepted.json"
    path.write_text(content)
    with pytest.raises(StoreError, match="no accepted record"):
        read_accepted(path)
    assert path.read_text() == content


def test_two_thousand_answers_of_seventy_seven_labels_are_a_few_kilobytes(tmp_path: Path):
    path = tmp_path / "s.accepted.json"
    labels = np.random.default_rng(0).integers(0, 77, (1, 2000))
    kept = AcceptedAnswers(labels, tuple(f"label {number}" for number in range(77)))
    figure = AcceptedFigure("2026-01-01", 0.9, 0.01, 2000, "rows", (), answers_key(kept))
    write_accepted(path, AcceptedRecord({"m.accuracy": AcceptedEntry(figure, figure)}, {figure.answers: kept}))
    assert path.stat().st_size < 8_000
