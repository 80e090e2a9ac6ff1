"""Recorded answers, matched to the test rows by id, else by text, else by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.alike import alike_pairs, format_pairs
from pytest_modelcompare.data.checks import format_rows
from pytest_modelcompare.data.data_settings import DataSettings, FileSettings
from pytest_modelcompare.data.label_reading import UNKNOWN, Reading, read_label
from pytest_modelcompare.data.rows import joined_texts
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.data.split import fold_text, rows_by
from pytest_modelcompare.data.text_table import Table
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.records import NO_ANSWER, Dataset, Predictions


class RecordedSource(FileSettings):
    """A file of recorded answers: a source with the names of its columns."""

    prediction: str = "prediction"
    """The column with the answer: a label, or its code where the suite's `labels` are coded."""

    scores: dict[str, str] | None = None
    """Label → column with its probability, for every label. Without it, columns named like every label are taken."""

    input_tokens: str = "input_tokens"
    """The column with the request's input tokens, if it is there; with `model`, they give the cost."""

    output_tokens: str = "output_tokens"
    """The column with the answer's tokens, if it is there."""

    latency_ms: str = "latency_ms"
    """The column with the request's time in milliseconds, if it is there."""


Manner = Literal["exact", "lenient"]
NOT_RECORDED = Reading(NO_ANSWER, failure="not recorded")


@dataclass(frozen=True, slots=True)
class RecordedAnswers:
    """One answer per test row, with what else was recorded."""

    predictions: Predictions
    tokens: tuple[tuple[int, int] | None, ...] | None
    """Input and output tokens per row; None where the file has no such columns."""

    latencies_ms: NDArray[np.float64] | None
    notes: tuple[str, ...]
    misspelled: tuple[str, ...] = ()
    """Notes on answers that would be labels, were they spelled as labels are."""


def recorded_answers(
    source: RecordedSource,
    missing: Literal["error", "wrong"],
    dataset: Dataset,
    settings: DataSettings,
    base: Path,
    downloads: Path,
    read: Manner = "exact",
) -> RecordedAnswers:
    """Read recorded answers and put them in the order of the test rows.

    Args:
        missing: what becomes of test rows without exactly one answer.
        read: labels as they are spelled, or answers in words, read as an LLM's replies are.

    Raises:
        DataError: rows match no answer or several, or a column is missing.
    """
    table = source_table(source, base, downloads)
    answers = [settings.codes.get(answer or "", answer or "") for answer in table.column(source.prediction)]
    places, how = match_rows(table, answers, settings, dataset, missing)
    readings = [
        NOT_RECORDED if place is None else reading_of(answers[place], read, settings, dataset) for place in places
    ]
    failures = Counter(one.failure for one in readings if one.failure is not None)
    read_as = Counter[str](one.how for one in readings if one.how is not None)
    columns = score_columns(source, table, dataset)
    scores = None if columns is None else pick_scores(table, columns, places)
    return RecordedAnswers(
        Predictions(
            np.array([one.label for one in readings], np.int64),
            scores,
            "recorded" if scores is not None else "",
            dict(failures),
            dict(read_as),
        ),
        pick_tokens(source, table, places),
        pick_latencies(source, table, places),
        (f"matched to the test rows by {how}",),
        note_misspelled(answers, places, settings, dataset) if read == "exact" else (),
    )


def reading_of(answer: str, read: Manner, settings: DataSettings, dataset: Dataset) -> Reading:
    """The label of a recorded answer."""
    numbers = dataset.label_number()
    if read == "lenient":
        return read_label(answer, {**{code: numbers[label] for code, label in settings.codes.items()}, **numbers})
    number = numbers.get(answer, NO_ANSWER)
    return Reading(number, failure=UNKNOWN if number == NO_ANSWER else None)


def note_misspelled(
    answers: Sequence[str], places: Sequence[int | None], settings: DataSettings, dataset: Dataset
) -> tuple[str, ...]:
    """What to say of answers that count as wrong for their spelling alone."""
    known = (*dataset.labels, *settings.codes)
    given = Counter(answers[place] for place in places if place is not None)
    pairs = alike_pairs(given, known)
    if not pairs:
        return ()
    rows = sum(given[pair.one] for pair in pairs)
    count = "1 answer counts" if rows == 1 else f"{rows:,} answers count"
    readable = all(reading_of(pair.one, "lenient", settings, dataset).failure is None for pair in pairs)
    fix = "mend them, or say `read: lenient`" if readable else "mend them"
    return (f"{count} as wrong for the spelling alone: {format_pairs(pairs)}; {fix}",)


def match_rows(
    table: Table, answers: Sequence[str], settings: DataSettings, dataset: Dataset, missing: Literal["error", "wrong"]
) -> tuple[list[int | None], str]:
    """For each test row the row of the recording, and how they were matched."""
    test = dataset.test
    if settings.id and settings.id in table.columns:
        return match_by_key(table.columns[settings.id], test.ids, answers, table, missing, "id"), "id"
    if all(name in table.columns for name in settings.text_columns):
        texts = [text or "" for text in joined_texts(table, settings.text_columns)]
        if len(table) == len(test) and all(map(str.__eq__, texts, test.texts)):
            return list(range(len(test))), "text"  # row for row the same file: equal texts need no guess
        return match_by_key(
            [fold_text(text) for text in texts],
            [fold_text(text) for text in test.texts],
            answers,
            table,
            missing,
            "text",
        ), "text"
    if len(table) != len(test):
        names = f"`{settings.id}` or " if settings.id else ""
        raise DataError(
            f"{len(table):,} recorded answers for {len(test):,} test rows, and no column to match them by",
            where=table.where,
            fix=f"add the column {names}`{', '.join(settings.text_columns)}`, or record every row in order",
        )
    return list(range(len(test))), "position"


def match_by_key(
    recorded: Sequence[str | None],
    wanted: Sequence[str],
    answers: Sequence[str],
    table: Table,
    missing: Literal["error", "wrong"],
    what: str,
) -> list[int | None]:
    """Each test row's place in the recording; equal keys are fine where they agree on the answer."""
    places = rows_by(list(recorded))
    clear: dict[str, int] = {}
    for key in set(wanted):
        found = places.get(key, [])
        if found and len({answers[row] for row in found}) == 1:
            clear[key] = found[0]
    lost = [row for row, key in enumerate(wanted, 1) if key not in clear]
    if lost and missing == "error":
        several = sum(len(places.get(wanted[row - 1], [])) > 1 for row in lost)
        kinds = [f"{len(lost) - several:,} match no answer"] * (len(lost) > several) + [
            f"{several:,} match several that differ"
        ] * (several > 0)
        raise DataError(
            f"test rows that do not match one recorded answer by {what}: {', '.join(kinds)} (rows {format_rows(lost)})",
            where=table.where,
            fix="record the missing rows, or count them as wrong with `missing: wrong`",
        )
    return [clear.get(key) for key in wanted]


def score_columns(source: RecordedSource, table: Table, dataset: Dataset) -> list[str] | None:
    """The column of each label's probability, in label order."""
    if source.scores is not None:
        lacking = [label for label in dataset.labels if label not in source.scores]
        if lacking:
            raise DataError(f"`scores` names no column for {', '.join(lacking[:5])}", where=table.where)
        return [source.scores[label] for label in dataset.labels]
    if all(label in table.columns for label in dataset.labels):
        return list(dataset.labels)
    return None


def pick_scores(table: Table, columns: Sequence[str], places: Sequence[int | None]) -> NDArray[np.float64]:
    """Shape (n, K), rows normalised to 1; NaN where a row has no scores."""
    recorded = np.stack([number_column(table, name) for name in columns], axis=1)
    if np.nanmin(recorded, initial=0.0) < 0:
        raise DataError("a probability is negative", where=table.where)
    scores = np.full((len(places), len(columns)), np.nan)
    rows = [row for row, place in enumerate(places) if place is not None]
    scores[rows] = recorded[[place for place in places if place is not None]]
    totals = scores.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        normalised: NDArray[np.float64] = np.where(totals > 0, scores / totals, np.nan)
    return normalised


def number_column(table: Table, name: str) -> NDArray[np.float64]:
    """A column of numbers; empty cells are NaN."""
    cells = table.column(name)
    try:
        return np.array([float(value) if value else np.nan for value in cells])
    except ValueError as error:
        raise DataError(f"column `{name}`: {error}", where=table.where) from error


def pick_tokens(
    source: RecordedSource, table: Table, places: Sequence[int | None]
) -> tuple[tuple[int, int] | None, ...] | None:
    if source.input_tokens not in table.columns or source.output_tokens not in table.columns:
        return None
    sent, received = number_column(table, source.input_tokens), number_column(table, source.output_tokens)
    whole = [None if place is None or not np.isfinite(sent[place] + received[place]) else place for place in places]
    return tuple(None if place is None else (int(sent[place]), int(received[place])) for place in whole)


def pick_latencies(source: RecordedSource, table: Table, places: Sequence[int | None]) -> NDArray[np.float64] | None:
    if source.latency_ms not in table.columns:
        return None
    recorded = number_column(table, source.latency_ms)
    picked = recorded[[place for place in places if place is not None]]
    finite: NDArray[np.float64] = picked[np.isfinite(picked)]
    return finite
