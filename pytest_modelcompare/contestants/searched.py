"""The prompt that a search chose: which training rows were searched, under which key it stands, how it is shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.contestants.answers import Journal
from pytest_modelcompare.contestants.chosen_shots import ChosenShots
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.data.split import folded
from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.inference.digest import weights_digest
from pytest_modelcompare.llm.prompts import PromptPlan
from pytest_modelcompare.llm.request import first_record
from pytest_modelcompare.llm.shots import Shots
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.records.printable import printable

OPTIMISED = "optimised#"
"""Under this key the journal keeps the prompt that a search chose."""

SEARCH_VERSION = 1
"""Raised whenever the same settings would search otherwise."""

LONGEST_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Searchable:
    """The training rows that a search may look at: none that says what a test row says."""

    rows: NDArray[np.int64]
    """Shape (m,). Row numbers in `Dataset.train`, ascending."""

    digest: str
    """sha256 hex over their texts, labels and groups, and the label menu."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a search chose, and how it went."""

    instructions: str | None
    """None: the task in the words of every prompt without any."""

    shots: tuple[int, ...] | None
    """Places in `Searchable.rows`, in the order shown; None: the shots that the suite's own settings choose."""

    right: int
    """Of the held-out rows, with this prompt."""

    right_before: int
    """The same with the suite's own prompt."""

    rows: int
    """How many training rows were held out."""

    trials: int
    calls: int
    usd: float
    created: str
    """ISO 8601, UTC."""

    proposed_by: str
    """E.g. "DSPy 3.4.1"."""

    def as_record(self, session: str) -> dict[str, Any]:
        return {**asdict(self), "session": session}


def choice_from(record: Mapping[str, Any]) -> Choice:
    """The inverse of `as_record`."""
    facts = {name: record[name] for name in Choice.__slots__}
    return Choice(**{**facts, "shots": None if facts["shots"] is None else tuple(facts["shots"])})


def searchable(dataset: Dataset) -> Searchable:
    """Training rows without the twins of test rows.

    Raises:
        LLMError: there are no training rows.
    """
    if dataset.train is None:
        raise LLMError("`optimise` tries prompts on training rows, and the suite has none", fix="give `train:`")
    tested = {folded(text) for text in dataset.test.texts}
    rows = np.array([row for row, text in enumerate(dataset.train.texts) if folded(text) not in tested], np.int64)
    digest = hashlib.sha256(repr((dataset.labels, sorted(dataset.descriptions.items()))).encode())
    groups = same_groups(dataset.train.groups, rows)
    for row in rows:
        line = [dataset.train.texts[row], int(dataset.train.labels[row]), *([groups[row]] if groups else [])]
        digest.update(json.dumps(line).encode() + b"\n")
    return Searchable(rows, digest.hexdigest())


def same_groups(groups: NDArray[np.int64] | None, rows: NDArray[np.int64]) -> dict[int, int]:
    """Row → the first row of its group: what rows are kept together says which are held out, not how groups are named.

    Empty without groups.
    """
    if groups is None:
        return {}
    first: dict[int, int] = {}
    return {int(row): first.setdefault(int(groups[row]), int(row)) for row in rows}


def choice_key(settings: PromptSettings, plan: PromptPlan, pool: Searchable, base: Path) -> str:
    """By everything that the choice follows from: rows, model, the prompt it starts from, the size of the search."""
    encoder = "" if settings.shots_encoder is None else weights_digest(settings.shots_encoder, base)
    own_shots = (shots_wanted(settings), settings.shots_by, settings.shots_tokens, settings.shots_seed, encoder)
    asked = (plan.provider, plan.model, plan.base_url, plan.instructions, plan.max_output_tokens, plan.effort)
    assert settings.optimise is not None
    size = sorted(settings.optimise.model_dump().items())
    facts = (SEARCH_VERSION, pool.digest, asked, plan.structured, own_shots, size)
    return OPTIMISED + hashlib.sha256(repr(facts).encode()).hexdigest()


def shots_wanted(settings: PromptSettings) -> int | None:
    """How many the suite names; None: it names no number."""
    return settings.shots if "shots" in settings.model_fields_set else None


def stored_choice(
    settings: PromptSettings, plan: PromptPlan, dataset: Dataset, journal: Journal, base: Path
) -> Choice | None:
    """What was chosen; None where nothing was yet.

    Raises:
        LLMError: there are no training rows to search.
    """
    record = first_record(journal, choice_keys(settings, plan, searchable(dataset), base))
    return None if record is None else choice_from(record)


def choice_keys(settings: PromptSettings, plan: PromptPlan, pool: Searchable, base: Path) -> list[str]:
    """Where a choice stands, and where former versions put it: they took any address for the suite's own."""
    plans = [plan] if plan.base_url is not None else [plan, replace(plan, base_url=plan.elsewhere)]
    return [choice_key(settings, one, pool, base) for one in plans]


def with_choice(plan: PromptPlan, own: ChosenShots, choice: Choice, dataset: Dataset) -> tuple[PromptPlan, ChosenShots]:
    """The chosen prompt in place of the suite's own."""
    chosen = replace(plan, instructions=choice.instructions)
    notes = (
        own.notes if choice.shots is None else [f"{len(choice.shots)} training rows as shots"] if choice.shots else []
    )
    notes = [*notes, *words(choice)]
    if choice.shots is None:
        return chosen, ChosenShots(own.rows, notes)
    rows = searchable(dataset).rows[np.array(choice.shots, np.int64)]
    return chosen, ChosenShots(Shots(dataset, len(rows), None, rows), notes)


def not_chosen(own: ChosenShots) -> ChosenShots:
    """The suite's own prompt, as long as nothing was chosen."""
    return ChosenShots(own.rows, [*own.notes, "no prompt was chosen yet: this is the one that the search starts from"])


def words(choice: Choice) -> list[str]:
    """How the search went, and the instructions it chose."""
    found = (
        f"prompt chosen among {choice.trials:,} on {choice.rows:,} training rows: {choice.right:,} right, "
        f"{choice.right_before:,} with the suite's own ({choice.proposed_by} proposed instructions; "
        f"{choice.calls:,} calls, {choice.usd:.4f} USD, on {choice.created[:10]})"
    )
    text = printable(" ".join((choice.instructions or "").split()))
    if not text:
        return [found, "the chosen prompt has no instructions of its own"]
    shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}… (`modelcompare answers show` prints all)"
    return [found, f"instructions chosen: {shown}"]
