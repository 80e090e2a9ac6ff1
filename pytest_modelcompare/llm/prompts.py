"""What an LLM is asked: one request per row for the answer, and more where scores are wanted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.wording import LIKELIEST, Form, Shot, examples, question, system_text, turns
from pytest_modelcompare.records import Dataset

EVERY_LABEL_UP_TO = 20
"""Longer menus get probabilities for the likeliest labels only: a long list costs much and is filled in carelessly."""

TOKENS_PER_PROBABILITY = 40
"""Room for one label and its number in an answer."""

VOTES_SEED = 5
"""Starts the orders of labels and shots; each vote has its own."""


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """How a contestant asks."""

    provider: str
    model: str
    instructions: str | None
    max_output_tokens: int
    effort: str | None
    base_url: str | None
    structured: bool
    """Whether the answer is restricted to the menu by the service."""

    scores: Literal["none", "stated", "votes"] = "none"
    votes: int = 5
    """Answers per row, the plain one included."""

    structured_scores: bool = True
    """Whether stated probabilities are restricted to the menu by the service."""

    service_tier: str | None = None
    """By which of its tiers the service is to serve; None: by its plain one."""

    elsewhere: str | None = None
    """An address that the environment names; `base_url` is the suite's own."""


ShotRows = Callable[[int], Sequence[int]]
"""From a test row to the training rows that it is shown, in order."""


def no_shots(_: int) -> Sequence[int]:
    return ()


def requests_for(plan: PromptPlan, dataset: Dataset, shown: ShotRows = no_shots) -> list[Request]:
    """The request that is the answer, one per test row, in test order."""
    return vote_requests(plan, dataset, shown, 0)


def score_requests(plan: PromptPlan, dataset: Dataset, shown: ShotRows = no_shots) -> list[list[Request]]:
    """What is asked for scores alone: lists of one request per test row, in test order."""
    if plan.scores == "stated":
        return [stated_requests(plan, dataset, shown)]
    if plan.scores == "votes":
        return [vote_requests(plan, dataset, shown, sample) for sample in range(1, plan.votes)]
    return []


def vote_requests(plan: PromptPlan, dataset: Dataset, shown: ShotRows, sample: int) -> list[Request]:
    """The request with labels and shots in the order of this sample; sample 0 has them as they are."""
    labels = dataset.labels
    if sample:
        order = np.random.default_rng([VOTES_SEED, sample]).permutation(len(labels))
        labels = tuple(dataset.labels[number] for number in order)
    system = system_text(plan.instructions, labels, dataset.descriptions, "label", structured=plan.structured)

    @functools.lru_cache(maxsize=64)  # most rows are shown the same
    def turns_of(rows: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
        return turns(reordered(shots_at(dataset, rows), sample), structured=plan.structured)

    return [
        Request(
            plan.provider,
            plan.model,
            system,
            (*turns_of(tuple(shown(row))), question(text)),
            labels if plan.structured else None,
            plan.max_output_tokens,
            plan.effort,
            plan.base_url,
            sample,
            service_tier=plan.service_tier,
            elsewhere=plan.elsewhere,
        )
        for row, text in enumerate(dataset.test.texts)
    ]


def stated_requests(plan: PromptPlan, dataset: Dataset, shown: ShotRows) -> list[Request]:
    """Ask for probabilities, independently of the plain answer: a model defends what it has said."""
    form: Form = "every" if len(dataset.labels) <= EVERY_LABEL_UP_TO else "likeliest"
    entries = len(dataset.labels) if form == "every" else LIKELIEST
    structured = plan.structured_scores
    system = system_text(plan.instructions, dataset.labels, dataset.descriptions, form, structured=structured)
    return [
        Request(
            plan.provider,
            plan.model,
            system,
            examples(shots_at(dataset, shown(row)), text),
            dataset.labels if structured else None,
            plan.max_output_tokens + entries * TOKENS_PER_PROBABILITY,
            plan.effort,
            plan.base_url,
            form=form,
            service_tier=plan.service_tier,
            elsewhere=plan.elsewhere,
        )
        for row, text in enumerate(dataset.test.texts)
    ]


def shots_at(dataset: Dataset, rows: Sequence[int]) -> list[Shot]:
    """Training rows as (text, label)."""
    train = dataset.train
    return [] if train is None else [(train.texts[row], dataset.labels[train.labels[row]]) for row in rows]


def reordered(shots: list[Shot], sample: int) -> list[Shot]:
    """The shots in the order of this sample: one order for every row that has as many, so that prefixes stay equal."""
    if not sample or len(shots) < 2:
        return shots
    order = np.random.default_rng([VOTES_SEED, sample, len(shots)]).permutation(len(shots))
    return [shots[at] for at in order]


def context_window(model: str) -> int | None:
    """Tokens that `provider:model` can read, answer included; None where it is not known."""
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition(":")
    try:
        found = calc_price(Usage(input_tokens=1, output_tokens=1), name, provider_id=provider)
    except LookupError:
        return None
    return found.model.context_window
