"""Real public data, recorded answers of real LLMs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_modelcompare.data.data_settings import DataSettings, SourceSettings, SplitSettings
from pytest_modelcompare.data.recorded_answers import RecordedSource, recorded_answers
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.data.split import fold_text
from pytest_modelcompare.errors import DataError


def banking(base: Path) -> DataSettings:
    return DataSettings(train="train.csv.gz", test="test.csv.gz", label="category")


def test_banking77_is_read_whole(shared_data: Path, tmp_path: Path):
    dataset = load_dataset(banking(shared_data), shared_data / "banking77", tmp_path)
    assert dataset.train is not None
    assert (len(dataset.train), len(dataset.test), len(dataset.labels)) == (10_003, 3_080, 77)


@pytest.mark.parametrize(
    ("recording", "accuracy"),
    [("gpt-4", 0.8305), ("gpt-4-weak-shots", 0.7422), ("gpt-3.5-turbo", 0.7516)],
)
def test_recorded_answers_score_what_they_scored(shared_data: Path, tmp_path: Path, recording: str, accuracy: float):
    base = shared_data / "banking77"
    settings = banking(shared_data)
    dataset = load_dataset(settings, base, tmp_path)
    source = RecordedSource(path=f"predictions-{recording}.csv.gz")
    found = recorded_answers(source, "error", dataset, settings, base, tmp_path)
    assert round((found.predictions.labels == dataset.test.labels).mean(), 4) == accuracy


def test_coded_labels_and_answers_in_the_test_file_score_the_same(shared_data: Path, tmp_path: Path):
    base = shared_data / "banking77" / "ocats"
    names = sorted(
        {
            label or ""
            for label in source_table(SourceSettings(path="train.csv.gz"), base.parent, tmp_path).column("category")
        },
        key=str,
    )
    settings = DataSettings(train="train.csv", test="test.csv", labels=dict(enumerate(names)))
    dataset = load_dataset(settings, base, tmp_path)
    found = recorded_answers(
        RecordedSource(path="test.csv", prediction="gpt-label"), "error", dataset, settings, base, tmp_path
    )
    assert round((found.predictions.labels == dataset.test.labels).mean(), 4) == 0.8305


MTSAMPLES: dict[str, Any] = {"text": "transcription", "label": "medical_specialty"}


def mtsamples_rows(shared_data: Path, folder: Path) -> tuple[Path, list[dict[str, str]]]:
    import csv
    import gzip

    with gzip.open(shared_data / "mtsamples" / "mtsamples.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["transcription"].strip()]
    path = folder / "whole.csv"
    write(path, rows)
    return path, rows


def write(path: Path, rows: list[dict[str, str]]) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_mtsamples_split_by_rows_is_refused_for_leakage_with_the_count(shared_data: Path, tmp_path: Path):
    _, rows = mtsamples_rows(shared_data, tmp_path)
    write(tmp_path / "train.csv", rows[::2])
    write(tmp_path / "test.csv", rows[1::2])
    known = {fold_text(row["transcription"]) for row in rows[::2]}
    count = sum(fold_text(row["transcription"]) in known for row in rows[1::2])
    settings = DataSettings(
        train="train.csv", test="test.csv", labels=sorted({row["medical_specialty"] for row in rows}), **MTSAMPLES
    )
    with pytest.raises(DataError, match=f"{count:,} of {len(rows[1::2]):,} test texts"):
        load_dataset(settings, tmp_path, tmp_path)


def test_mtsamples_split_here_keeps_equal_texts_together_and_says_how_many_carry_two_labels(
    shared_data: Path, tmp_path: Path
):
    path, rows = mtsamples_rows(shared_data, tmp_path)
    settings = DataSettings(
        train=path.name,
        split=SplitSettings(test=0.2),
        labels=sorted({row["medical_specialty"] for row in rows}),
        **MTSAMPLES,
    )
    dataset = load_dataset(settings, tmp_path, tmp_path)
    assert dataset.train is not None
    assert dataset.leaked_rows == 0
    assert abs(len(dataset.test) / len(rows) - 0.2) < 0.02
    labels_of: dict[str, set[str]] = {}
    for row in rows:
        labels_of.setdefault(fold_text(row["transcription"]), set()).add(row["medical_specialty"])
    several = sum(len(labels) > 1 for labels in labels_of.values())
    assert any(
        f"{several:,} of {len(labels_of):,} distinct texts carry two or more labels" in line
        for line in dataset.warnings
    )


def test_empty_texts_are_refused_with_their_row_numbers(shared_data: Path, tmp_path: Path):
    settings = DataSettings(train="mtsamples.csv.gz", split=SplitSettings(test=0.2), **MTSAMPLES)
    with pytest.raises(DataError, match=r"33 rows have no text: \d+, \d+"):
        load_dataset(settings, shared_data / "mtsamples", tmp_path)


@pytest.mark.parametrize(
    ("folder", "settings", "sizes"),
    [
        ("trec", DataSettings(train="train.csv.gz", test="test.csv.gz"), (5_452, 500, 6)),
        (
            "sst",
            DataSettings(train="sst5_sentences_train.csv.gz", test="sst5_sentences_test.csv.gz"),
            (8_544, 2_210, 5),
        ),
        (
            "ag_news",
            DataSettings(
                train=SourceSettings(path="train_subset.csv.gz", rows=400),
                test=SourceSettings(path="test.csv.gz", rows=100),
                label="class",
                labels={1: "World", 2: "Sports", 3: "Business", 4: "Sci/Tech"},
                text="text",
            ),
            (400, 100, 4),
        ),
    ],
)
def test_other_data_sets_load(
    shared_data: Path, tmp_path: Path, folder: str, settings: DataSettings, sizes: tuple[int, int, int]
):
    base = shared_data / folder
    if folder == "ag_news":
        table = source_table(SourceSettings(path="test.csv.gz"), base, tmp_path)
        columns = (table.column(name) for name in ("class", "title", "description"))
        rows = [{"class": one, "text": f"{title}\n{text}"} for one, title, text in zip(*columns, strict=True)]
        write(tmp_path / "test.csv", rows)
        (tmp_path / "train_subset.csv.gz").write_bytes((base / "train_subset.csv.gz").read_bytes())
        settings = settings.model_copy(update={"test": SourceSettings(path="test.csv", rows=100)})
        base = tmp_path
    dataset = load_dataset(settings, base, tmp_path)
    assert dataset.train is not None
    assert (len(dataset.train), len(dataset.test), len(dataset.labels)) == sizes
