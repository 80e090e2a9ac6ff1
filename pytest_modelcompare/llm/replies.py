"""From replies to labels, scores, times and costs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.label_reading import label_number
from pytest_modelcompare.errors import GateError
from pytest_modelcompare.llm.answers import Answered, LLMOptions
from pytest_modelcompare.llm.caching import saved_usd, saving_note
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import Questions
from pytest_modelcompare.llm.reply import FAILED_STOPS, Reply, read_reply
from pytest_modelcompare.llm.wording import ANSWER_KEY, PROBABILITIES_KEY, PROBABILITY_KEY
from pytest_modelcompare.pricing.answers import answers_cost
from pytest_modelcompare.records import NO_ANSWER, Cost, Dataset, Latencies, Predictions
from pytest_modelcompare.records.report import FailureExample

BLOCKS = 20
EXAMPLES = 3
LONGEST_TEXT = 300


def answered(
    replies: Sequence[Sequence[Reply]],
    settings: PromptSettings,
    dataset: Dataset,
    options: LLMOptions,
    asked: Questions,
    calls: int,
    usd: float,
) -> Answered:
    """Labels, scores, times and cost of full sets of replies.

    Args:
        replies: the plain ones, then those for scores alone, each of one per test row.
    """
    plain, *for_scores = replies
    predictions, notes = read(plain, for_scores, settings, dataset)
    cost, because = cost_of(plain, settings, options)
    scores_cost = None
    if for_scores:
        scores_cost, because_not = cost_of([reply for part in for_scores for reply in part], settings, options)
        notes.append(scores_note(scores_cost, len(plain), because_not))
        if scores_cost is not None:
            scores_cost = replace(
                scores_cost, usd_per_row=scores_cost.usd_per_row.reshape(len(for_scores), -1).sum(axis=0)
            )
    every = [reply for part in replies for reply in part]
    days = sorted(reply.created[:10] for reply in every)
    return Answered(
        predictions,
        None if any(reply.usage.batch for reply in plain) else latencies(plain, settings),
        cost,
        because,
        days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
        calls,
        usd,
        sum(reply.session != options.session for reply in every),
        [*asked.notes, *notes, *usage_notes(every, settings, options)],
        scores_cost=scores_cost,
        failure_examples=failure_examples(plain, dataset),
    )


def read(
    plain: Sequence[Reply], for_scores: Sequence[Sequence[Reply]], settings: PromptSettings, dataset: Dataset
) -> tuple[Predictions, list[str]]:
    """The plain answers as labels, and scores where they were asked for, with what is to be said of these."""
    numbers = dataset.label_number()
    found = [read_reply(reply, numbers) for reply in plain]
    labels = np.array([one.label for one in found], np.int64)
    failures = dict(Counter(one.failure for one in found if one.failure is not None))
    read_as = dict(Counter[str](one.how for one in found if one.how is not None))
    if not for_scores:
        return Predictions(labels, None, "", failures, read_as), []
    if settings.scores == "stated":
        scores, made_from = stated_scores(for_scores[0], numbers), "stated probabilities"
    else:
        votes = [labels, *([read_reply(reply, numbers).label for reply in part] for part in for_scores)]
        answers = np.array(votes, np.int64)  # (k, n)
        scores, made_from = vote_scores(answers, len(dataset.labels)), f"votes of {len(votes)} answers"
    notes = score_notes(scores, labels, dataset.test.labels, made_from)
    if settings.scores == "votes" and (lost := int((answers[1:] == NO_ANSWER).sum())):
        notes.append(f"{lost:,} of {answers[1:].size:,} votes could not be read and do not count")
    return Predictions(labels, scores, made_from, failures, read_as), notes


def failure_examples(replies: Sequence[Reply], dataset: Dataset) -> dict[str, list[FailureExample]]:
    """The first rows of each kind of failure, with what the model said."""
    numbers = dataset.label_number()
    found: dict[str, list[FailureExample]] = {}
    for row, reply in enumerate(replies):
        kind = read_reply(reply, numbers).failure
        if kind is not None and len(examples := found.setdefault(kind, [])) < EXAMPLES:
            text, said = shortened(dataset.test.texts[row]), shortened(reply.text)
            examples.append(FailureExample(dataset.test.ids[row], text, said))
    return found


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def usage_notes(replies: Sequence[Reply], settings: PromptSettings, options: LLMOptions) -> list[str]:
    """What a reader should know of how the tokens came about."""
    usages = [reply.usage for reply in replies]
    notes = []
    if in_batches := sum(usage.batch for usage in usages):
        notes.append(f"{in_batches:,} of {len(usages):,} answers came in batches, at the price of batches")
    if thought := sum(usage.thinking_tokens for usage in usages):
        notes.append(f"{thought / sum(usage.output_tokens for usage in usages):.0%} of the output tokens were thinking")
    if any(usage.cache_read_tokens for usage in usages):
        with suppress(GateError):  # no price, no saving: the cost itself says so
            dated = [(reply.usage, reply.date) for reply in replies]
            notes.append(saving_note(usages, *saved_usd(settings.model, dated, options.prices)))
    return notes


def cost_of(replies: Sequence[Reply], settings: PromptSettings, options: LLMOptions) -> tuple[Cost | None, str]:
    """Request by request; without a price, why."""
    usages, dates = [reply.usage for reply in replies], [reply.date for reply in replies]
    try:
        return answers_cost(usages, dates, settings.model, options.prices), ""
    except GateError as error:
        return None, str(error)


def scores_note(cost: Cost | None, rows: int, because: str) -> str:
    """What the scores cost beside the answers; `cost_per_1k` is without it."""
    if cost is None:
        return f"what only the scores cost is not known: {because}"
    usd = float(cost.usd_per_row.sum())
    return f"only the scores cost {1000 * usd / rows:.4f} USD per 1,000 rows; cost_per_1k is without it"


def latencies(replies: Sequence[Reply], settings: PromptSettings) -> Latencies:
    """The requests as measured when they were made, in blocks by time: what slows a service lasts for a while."""
    order = sorted(range(len(replies)), key=lambda row: replies[row].created)
    ms = np.array([replies[row].latency_ms for row in order])
    blocks = (np.arange(len(ms)) * BLOCKS // len(ms)).astype(np.int64)
    newest = max(reply.created for reply in replies)
    return Latencies(ms, blocks, f"{settings.model} as a service", f"asked {newest}", newest)


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
