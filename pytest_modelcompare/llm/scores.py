"""A probability per label: as the model states them, or as shares of several answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.label_reading import label_number
from pytest_modelcompare.llm.reply import FAILED_STOPS, Reply
from pytest_modelcompare.llm.wording import ANSWER_KEY, PROBABILITIES_KEY, PROBABILITY_KEY
from pytest_modelcompare.records import NO_ANSWER

Floats = NDArray[np.float64]

PERCENT_FROM = 2.0
"""Stated numbers that sum to more than this are per cent."""

EQUAL = 1e-9
OBJECT = re.compile(r"\{.*\}", re.DOTALL)


def stated_scores(replies: Sequence[Reply], numbers: Mapping[str, int]) -> Floats:
    """Shape (n, K), rows sum to 1; a row of NaN where a reply holds no probabilities."""
    return np.array([stated_row(reply, numbers) for reply in replies], np.float64).reshape(len(replies), len(numbers))


def stated_row(reply: Reply, numbers: Mapping[str, int]) -> Floats:
    """What is stated, the rest shared out among the labels that were not named; NaN where nothing can be read."""
    unread = np.full(len(numbers), np.nan)
    if reply.stop_reason in FAILED_STOPS:
        return unread
    stated = np.full(len(numbers), np.nan)
    for entry in entries_in(reply.text):
        label, value = entry.get(ANSWER_KEY), entry.get(PROBABILITY_KEY)
        number = label_number(label, numbers) if isinstance(label, str) else NO_ANSWER
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            continue
        if number != NO_ANSWER:
            stated[number] = np.nansum([stated[number], float(value)])
    named = np.isfinite(stated)
    total = float(stated[named].sum())
    if total <= 0:
        return unread
    if total > PERCENT_FROM:
        stated, total = stated / 100, total / 100
    others = int((~named).sum())
    if others and total < 1:
        stated[~named] = (1 - total) / others
        return stated
    return np.where(named, stated, 0.0) / total


def entries_in(text: str) -> list[dict[str, Any]]:
    """The stated labels of an answer; none where it is not in the form asked for."""
    found = OBJECT.search(text)
    try:
        whole = json.loads(found[0]) if found else None
    except (ValueError, RecursionError):  # the latter of thousands of brackets
        return []
    entries = whole.get(PROBABILITIES_KEY) if isinstance(whole, dict) else None
    if isinstance(entries, dict):  # free text often has {"ham": 0.9, …}
        entries = [{ANSWER_KEY: label, PROBABILITY_KEY: value} for label, value in entries.items()]
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def vote_scores(answers: NDArray[np.int64], n_labels: int) -> Floats:
    """The share of each label among a row's readable answers; NaN where a row has none.

    Args:
        answers: shape (k, n), label numbers or NO_ANSWER.

    Returns:
        shape (n, n_labels).
    """
    counts = np.stack([(answers == label).sum(axis=0) for label in range(n_labels)], axis=1).astype(np.float64)
    readable = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(counts, readable, out=np.full_like(counts, np.nan), where=readable > 0)
    return shares


def score_notes(scores: Floats, answers: NDArray[np.int64], truth: NDArray[np.int64], made_from: str) -> list[str]:
    """What a reader should know of scores that a model gave of itself.

    Args:
        scores: shape (n, K), NaN rows have none.
        answers: shape (n,), the plain answers.
        truth: shape (n,).
        made_from: e.g. "stated probabilities".
    """
    there = np.isfinite(scores).all(axis=1)
    notes = [f"AUROC, Brier, log loss and ECE are made from {made_from}"]
    if not there.any():
        return [*notes, "no row has scores"]
    known, n = scores[there], int(there.sum())
    if n < len(scores):
        notes.append(f"{len(scores) - n:,} of {len(scores):,} rows have no scores and count as uniform")
    top = known.max(axis=1)
    ties = int(((known >= top[:, None] - EQUAL).sum(axis=1) > 1).sum())
    values = len(np.unique(np.round(top, 6)))
    notes.append(f"{ties / n:.1%} of the rows have more than one likeliest label; top scores take {values:,} values")
    right = float((known.argmax(axis=1) == truth[there]).mean())
    sure = float(top.mean())
    word = "over-confident" if sure > right else "under-confident"
    notes.append(f"{word} by {abs(sure - right):.3f}: top scores average {sure:.3f}, the label is right in {right:.3f}")
    other = int((known[np.arange(n), np.maximum(answers[there], 0)] < top - EQUAL).sum())
    if other:
        notes.append(f"{other:,} of {n:,} answers are not the likeliest label")
    return notes
