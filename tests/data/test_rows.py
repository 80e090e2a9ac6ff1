"""From settings to a data set that was looked at."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_modelcompare.data.data_settings import DataSettings, SourceSettings, SplitSettings
from pytest_modelcompare.data.recorded_answers import RecordedSource, recorded_answers
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.data.split import fold_text, split_rows, stratified_sample
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import Dataset


def write(path: Path, *rows: tuple[str, ...], header: str = "text,label") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([tuple(header.split(",")), *rows])


TRAIN = [(f"train {number}", "ab"[number % 2]) for number in range(40)]
TEST = [(f"test {number}", "ab"[number % 2]) for number in range(20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "train.csv", *TRAIN)
    write(tmp_path / "test.csv", *TEST)
    return tmp_path


def load(folder: Path, **settings_of: object) -> Dataset:
    return load_dataset(DataSettings(**{"train": "train.csv", "test": "test.csv", **settings_of}), folder, folder)  # type: ignore[arg-type]


def test_rows_keep_their_order_and_labels_are_numbered(folder: Path):
    dataset = load(folder)
    assert dataset.labels == ("a", "b")
    assert dataset.test.texts[:2] == ("test 0", "test 1")
    assert dataset.test.labels[:3].tolist() == [0, 1, 0]


def test_the_suites_order_of_labels_counts(folder: Path):
    assert load(folder, labels=["b", "a"]).test.labels[:2].tolist() == [1, 0]


def test_the_digest_changes_with_the_rows_and_not_with_their_file(folder: Path):
    first = load(folder).digest
    (folder / "train.csv").rename(folder / "moved.csv")
    assert load(folder, train="moved.csv").digest == first
    write(folder / "moved.csv", *TRAIN[:-1], ("train 39", "a"))
    assert load(folder, train="moved.csv").digest != first


def test_several_text_columns_are_joined(folder: Path):
    write(folder / "test.csv", ("one", "two", "a"), ("", "three", "b"), header="title,body,label")
    write(folder / "train.csv", ("x", "y", "a"), ("z", "w", "b"), header="title,body,label")
    assert load(folder, text=["title", "body"]).test.texts == ("one\ntwo", "three")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("", "a"), ("x", "b"), ("  ", "a")], "2 rows have no text: 2, 4"),
        ([("x", "")], "1 row has no label: 2"),
        ([("x", "c")], "labels that the training rows do not have: c"),
    ],
)
def test_bad_rows_are_said_with_their_numbers(folder: Path, rows: list[tuple[str, str]], words: str):
    write(folder / "test.csv", *rows)
    with pytest.raises(DataError, match=words):
        load(folder)


def test_rows_without_text_are_dropped_where_the_suite_says_so_and_counted(folder: Path):
    write(folder / "test.csv", ("", ""), *TEST, (" ", "a"))
    write(folder / "train.csv", *TRAIN, ("", "a"))
    dataset = load(folder, empty="drop")
    assert dataset.test.texts == tuple(text for text, _ in TEST)
    assert dataset.test.ids[0] == "1"  # its place in the file
    assert dataset.warnings == (
        "2 of 22 test rows have no text and are left out",
        "1 of 41 training rows has no text and is left out",
    )
    assert load(folder, empty="drop", validation="test.csv", test="train.csv", leakage=1.0).warnings[0].startswith("1")


def test_of_what_is_split_the_dropped_rows_are_counted_once(folder: Path):
    write(folder / "train.csv", *TRAIN, ("", "a"), ("", "b"))
    dataset = load(folder, empty="drop", test=None, split=SplitSettings(test=0.2))
    assert dataset.warnings[:1] == ("2 of 42 rows have no text and are left out",)


def test_of_own_validation_rows_the_dropped_are_counted(folder: Path):
    write(folder / "validation.csv", ("v one", "a"), ("v two", "b"), ("", "b"))
    settings_of = DataSettings(train="train.csv", test="test.csv", validation="validation.csv", empty="drop")
    dataset = load_dataset(settings_of, folder, folder, need_validation=True)
    assert dataset.validation is not None
    assert len(dataset.validation) == 2
    assert dataset.warnings == ("1 of 3 validation rows has no text and is left out",)


def test_dropped_rows_need_no_label_and_others_do(folder: Path):
    write(folder / "test.csv", ("", ""), ("x", ""), ("y", "a"))
    with pytest.raises(DataError, match="1 row has no label: 3"):
        load(folder, empty="drop")
    write(folder / "test.csv", ("", "a"), (" ", "b"))
    with pytest.raises(DataError, match="no row has a text"):
        load(folder, empty="drop")


@pytest.mark.parametrize(
    ("test_label", "labels", "words"),
    [
        ("A ", None, "spelled in two ways: `A ` and `a` \\(spaces and case\\); write them alike"),
        ("1.0", {1: "a", 2: "b"}, "spelled in two ways: `1.0` and `1` \\(how a number is written\\)"),
        ("B", ["a", "b"], "labels that `labels:` does not list: B .*\n.*`B` and `b` \\(case\\)"),
    ],
)
def test_labels_spelled_in_two_ways_are_named(folder: Path, test_label: str, labels: Any, words: str):
    train = [(text, {"a": "1", "b": "2"}[label]) for text, label in TRAIN] if isinstance(labels, dict) else TRAIN
    write(folder / "train.csv", *train)
    write(folder / "test.csv", *train[:0], ("new", test_label))
    with pytest.raises(DataError, match=words):
        load(folder, labels=labels)


def test_labels_of_one_file_that_differ_in_spelling_alone_are_a_warning(folder: Path):
    write(folder / "train.csv", *TRAIN, ("x", "A"))
    assert load(folder).warnings[0] == (
        "labels that differ in spelling alone count as different ones: `A` and `a` (case)"
    )


@pytest.mark.parametrize("what", ["text", "label"])
def test_half_a_character_is_refused_with_its_row(folder: Path, what: str):
    broken = json.dumps({"text": "fine", "label": "a", what: "cut \ud83d"})
    (folder / "test.jsonl").write_text('{"text": "fine", "label": "a"}\n' + broken + "\n")
    with pytest.raises(DataError, match=f"the {what} of row 2 holds half a character"):
        load(folder, test="test.jsonl")


def test_one_class_is_nothing_to_tell_apart(folder: Path):
    write(folder / "train.csv", ("x", "a"), ("y", "a"))
    write(folder / "test.csv", ("z", "a"))
    with pytest.raises(DataError, match="nothing to tell apart"):
        load(folder)


def test_leakage_is_a_warning_below_the_limit_and_an_error_above(folder: Path):
    write(folder / "test.csv", ("TRAIN  1", "b"), *TEST)
    assert load(folder).warnings[0] == "1 of 21 test texts also stand in train"
    write(folder / "test.csv", *TRAIN[:2], *TEST)
    with pytest.raises(DataError, match=r"2 of 22 test texts \(9.1%\) also stand in train"):
        load(folder)
    assert load(folder, leakage=0.5).leaked_rows == 2


def test_a_sample_is_seeded_and_keeps_the_shares(folder: Path):
    source = SourceSettings(path="train.csv", rows=10, seed=3)
    dataset = load(folder, train=source)
    assert dataset.train is not None
    assert np.bincount(dataset.train.labels).tolist() == [5, 5]
    assert load(folder, train=source).digest == dataset.digest
    assert load(folder, train=source.model_copy(update={"seed": 4})).digest != dataset.digest


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["one", "two", "Three", "three ", "four", "five", "six"]),
            st.sampled_from("ab"),
            st.integers(0, 5),
        ),
        min_size=20,
        max_size=80,
    ),
    st.integers(0, 99),
)
def test_a_split_never_parts_equal_texts_or_groups(rows: list[tuple[str, str, int]], seed: int):
    texts = [f"{text} {number % 11}" for number, (text, _, _) in enumerate(rows)]
    groups = [number // 3 for number in range(len(rows))]
    try:
        train, test = split_rows(texts, [label for _, label, _ in rows], groups, 0.3, seed)
    except DataError:
        return
    assert sorted(train + test) == list(range(len(rows)))
    assert not {fold_text(texts[row]) for row in train} & {fold_text(texts[row]) for row in test}
    assert not {groups[row] for row in train} & {groups[row] for row in test}


def test_a_split_is_stratified_and_of_the_asked_size(folder: Path):
    rows = [(f"text {number}", "a" if number % 4 else "b") for number in range(400)]
    write(folder / "all.csv", *rows)
    dataset = load(folder, train="all.csv", test=None, split=SplitSettings(test=0.25))
    assert np.bincount(dataset.test.labels).tolist() == [75, 25]


def test_largest_remainders_fill_a_sample():
    assert len(stratified_sample(["a"] * 7 + ["b"] * 3, 5, 0, "")) == 5


def recorded(folder: Path, **options: Any) -> object:
    dataset = load(folder)
    missing, read = options.pop("missing", "error"), options.pop("read", "exact")
    settings_of = DataSettings(train="train.csv", test="test.csv")
    return recorded_answers(
        RecordedSource(path="answers.csv", **options), missing, dataset, settings_of, folder, folder, read
    )


def test_answers_are_matched_by_text_in_any_order(folder: Path):
    write(folder / "answers.csv", *reversed(TEST), header="text,prediction")
    found = recorded(folder)
    assert found.predictions.labels.tolist() == load(folder).test.labels.tolist()  # type: ignore[attr-defined]


def test_answers_in_words_are_read_on_request(folder: Path):
    write(folder / "answers.csv", *((text, f"Label: **{label}**") for text, label in TEST), header="text,prediction")
    exact, lenient = recorded(folder), recorded(folder, read="lenient")
    n = len(TEST)
    assert exact.predictions.failures == {"outside the labels": n}  # type: ignore[attr-defined]
    assert lenient.predictions.labels.tolist() == load(folder).test.labels.tolist()  # type: ignore[attr-defined]
    assert lenient.predictions.read_as == {"after a prefix": n}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("spell", "reason", "fix"),
    [
        (str.upper, "`A` and `a` (case), `B` and `b` (case)", "mend them, or say `read: lenient`"),
        (lambda label: f"{label}\u200b", "`a\\u200b` and `a` (spaces), `b\\u200b` and `b` (spaces)", "mend them"),
    ],
)
def test_answers_that_are_wrong_for_their_spelling_are_named(
    folder: Path, spell: Callable[[str], str], reason: str, fix: str
):
    write(folder / "answers.csv", *((text, spell(label)) for text, label in TEST), header="text,prediction")
    said = f"20 answers count as wrong for the spelling alone: {reason}; {fix}"
    assert recorded(folder).misspelled == (said,)  # type: ignore[attr-defined]
    assert recorded(folder, read="lenient").misspelled == ()  # type: ignore[attr-defined]
    write(folder / "answers.csv", *TEST[1:], ("test 0", "who knows"), header="text,prediction")
    assert recorded(folder).misspelled == ()  # type: ignore[attr-defined]


def test_recorded_answers_are_read_as_any_file(folder: Path):
    rows = "".join(f"{text};{label}\n" for text, label in TEST)
    (folder / "answers.csv").write_bytes(rows.encode("utf-16"))
    found = recorded(folder, separator=";", columns=["text", "prediction"])
    assert found.predictions.labels.tolist() == load(folder).test.labels.tolist()  # type: ignore[attr-defined]


def test_a_row_without_an_answer_is_an_error_or_wrong(folder: Path):
    write(folder / "answers.csv", *TEST[1:], header="text,prediction")
    with pytest.raises(DataError, match="1 match no answer \\(rows 1\\)"):
        recorded(folder)
    found = recorded(folder, missing="wrong")
    assert found.predictions.labels[0] == -1  # type: ignore[attr-defined]
    assert found.predictions.failures == {"not recorded": 1}  # type: ignore[attr-defined]


def test_two_answers_that_differ_are_an_error(folder: Path):
    write(folder / "answers.csv", *TEST, ("test 0", "b"), header="text,prediction")
    with pytest.raises(DataError, match="1 match several that differ"):
        recorded(folder)


def test_without_a_column_to_match_by_the_lengths_must_be_equal(folder: Path):
    write(folder / "answers.csv", *[(label,) for _, label in TEST[:-1]], header="prediction")
    with pytest.raises(DataError, match="19 recorded answers for 20 test rows"):
        recorded(folder)
    write(folder / "answers.csv", *[(label,) for _, label in TEST], header="prediction")
    assert recorded(folder).notes == ("matched to the test rows by position",)  # type: ignore[attr-defined]


def test_scores_tokens_and_latencies_are_taken_along(folder: Path):
    rows = [(text, label, "3", "1", "100", "5", "250") for text, label in TEST]
    write(folder / "answers.csv", *rows, header="text,prediction,a,b,input_tokens,output_tokens,latency_ms")
    found = recorded(folder)
    assert found.predictions.scores[0].tolist() == [0.75, 0.25]  # type: ignore[attr-defined]
    assert found.tokens[0] == (100, 5)  # type: ignore[attr-defined]
    assert found.latencies_ms.tolist() == [250.0] * 20  # type: ignore[attr-defined]


def test_validation_is_carved_only_when_it_is_needed(folder: Path):
    whole = DataSettings(train="train.csv", test="test.csv", validation=0.25)
    assert load_dataset(whole, folder, folder).validation is None
    carved = load_dataset(whole, folder, folder, need_validation=True)
    assert carved.train is not None
    assert carved.validation is not None
    assert (len(carved.train), len(carved.validation)) == (30, 10)
