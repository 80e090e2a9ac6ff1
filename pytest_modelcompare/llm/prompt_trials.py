"""A search for a prompt, step by step: instructions are proposed, prompts are tried, pairs of what did well follow.

Where replies come from is left open: a run asks for them, a plan takes what is stored and sees what is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.split import fold_text, split_rows
from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.inference.model_reference import weights_digest
from pytest_modelcompare.llm.answers import Journal
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompts import PromptPlan, ShotRows, requests_for, shots_at
from pytest_modelcompare.llm.proposals import Messages, proposed_instructions
from pytest_modelcompare.llm.reply import Reply, read_reply
from pytest_modelcompare.llm.request import Request, first_record
from pytest_modelcompare.llm.shots import ChosenShots, Shots, chosen_shots, common_order
from pytest_modelcompare.llm.wording import TASK, menu_text
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.records.printable import printable

PROPOSAL_TOKENS = 1_500
"""Room for a proposal, beside what the suite gives an answer."""

Replies = Callable[[Sequence[Request]], Sequence[Reply]]
"""One reply for each request."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One prompt that was tried."""

    instructions: int
    shots: int
    right: int


@dataclass(slots=True)
class Search:
    """One search, as far as it has come."""

    settings: PromptSettings
    plan: PromptPlan
    where: Field
    replies: Replies
    proposal_calls: int = 0
    """Made so far, to sum up rows and to propose."""

    instructions: list[str | None] = field(default_factory=list)
    """The suite's own first; empty until all are proposed."""

    trials: list[Trial] = field(default_factory=list)

    def run(self) -> Trial:
        """The best prompt. Raises what `replies` raises."""
        assert self.settings.optimise is not None
        self.propose()
        self.try_until(self.settings.optimise.trials)
        return self.best

    def propose(self) -> None:
        """Have instructions proposed, once."""
        if not self.instructions:
            self.instructions = [self.plan.instructions, *self.proposed()]

    def try_until(self, count: int) -> None:
        """Try prompts until so many are tried, or all that there are."""
        while len(self.trials) < count:
            pair = next_pair(self.trials, len(self.instructions), len(self.where.sets)) if self.trials else (0, 0)
            if pair is None:
                return
            self.trials.append(self.tried(*pair))

    @property
    def best(self) -> Trial:
        """Of equals the first, so that the suite's own wins."""
        return max(self.trials, key=lambda trial: trial.right)

    @property
    def trials_left(self) -> int:
        """At most, once all instructions are there."""
        assert self.settings.optimise is not None
        pairs = len(self.instructions) * len(self.where.sets)
        return min(self.settings.optimise.trials, pairs) - len(self.trials)

    def proposed(self) -> list[str]:
        """Instructions that the model writes, each call a request like any other."""
        assert self.settings.optimise is not None
        dataset, seed = self.where.dataset, self.settings.optimise.seed
        times: dict[str, int] = {}

        def send(system: str, messages: Messages) -> str:
            request = proposal_request(self.plan, system, messages)
            sample = times[request.key()] = times.get(request.key(), -1) + 1
            [reply] = self.replies([replace(request, sample=sample)])
            self.proposal_calls += 1
            return reply.text

        rows = np.random.default_rng(seed).permutation(len(self.where.rest)).tolist()
        menu = menu_text(dataset.labels, dataset.descriptions)
        own = self.plan.instructions or TASK
        task = f"{own}\n\n(The list of labels follows by itself and need not be repeated:\n{menu})"
        found = proposed_instructions(send, task, shots_at(dataset, rows), self.where.proposals, seed)
        return [text for text in found if text != own]

    def tried(self, instructions: int, shots: int) -> Trial:
        """Ask every row that was held out with one prompt."""
        dataset = self.where.dataset
        worded = replace(self.plan, instructions=self.instructions[instructions])
        replies = self.replies(requests_for(worded, dataset, self.where.sets[shots].shown))
        numbers, truth = dataset.label_number(), dataset.test.labels.tolist()
        right = sum(read_reply(reply, numbers).label == label for reply, label in zip(replies, truth, strict=True))
        return Trial(instructions, shots, right)


def proposal_request(plan: PromptPlan, system: str, messages: Messages) -> Request:
    """Free text, and room for it."""
    return Request(
        plan.provider,
        plan.model,
        system,
        messages,
        None,
        plan.max_output_tokens + PROPOSAL_TOKENS,
        plan.effort,
        plan.base_url,
        service_tier=plan.service_tier,
        elsewhere=plan.elsewhere,
    )


def next_pair(trials: Sequence[Trial], instructions: int, sets: int) -> tuple[int, int] | None:
    """Every instruction and every set once; then pairs of those that did well apart. None: all pairs were tried."""
    done = {(trial.instructions, trial.shots) for trial in trials}
    for number in range(1, max(instructions, sets)):
        pair = number % instructions, number % sets
        if pair not in done:
            return pair
    left = [(one, other) for one in range(instructions) for other in range(sets) if (one, other) not in done]
    by_text = [mean(trial.right for trial in trials if trial.instructions == one) for one in range(instructions)]
    by_set = [mean(trial.right for trial in trials if trial.shots == one) for one in range(sets)]
    return max(left, key=lambda pair: by_text[pair[0]] + by_set[pair[1]]) if left else None


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
    tested = {fold_text(text) for text in dataset.test.texts}
    rows = np.array([row for row, text in enumerate(dataset.train.texts) if fold_text(text) not in tested], np.int64)
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


SHOTS_TRIED = 8
"""How many shots a set has where the suite names no number."""

ORDERS_PER_SEED = 1_000
"""Sets of shots that a search cannot have more of: the orders of two seeds never meet."""


@dataclass(frozen=True, slots=True)
class ShotSet:
    """One way to choose shots."""

    shown: ShotRows
    places: tuple[int, ...] | None
    """Places in `Searchable.rows`; None: as the suite's own settings choose."""


@dataclass(frozen=True, slots=True)
class Field:
    """What is searched, and on which rows."""

    dataset: Dataset
    """`test` are the training rows held out, `train` the others; no test row of the suite is in it."""

    rest: NDArray[np.int64]
    """Shape (n,). Places in `Searchable.rows` of the others."""

    sets: list[ShotSet]
    proposals: int
    """How many instructions are wanted beside the suite's own."""


def field_of(settings: PromptSettings, dataset: Dataset, pool: Searchable, journal: Journal, base: Path) -> Field:
    """Hold rows out; draw sets of shots from the others.

    Raises:
        LLMError: too few rows are left for shots.
        DataError: the rows cannot be split.
    """
    assert settings.optimise is not None
    assert dataset.train is not None
    optimise, n = settings.optimise, len(pool.rows)
    if optimise.rows > n // 2:
        raise LLMError(
            f"`optimise: {{rows: {optimise.rows:,}}}` would leave fewer than half of the {n:,} training rows for shots",
            fix=f"at most `rows: {n // 2:,}`" if n >= 4 else "give more training rows",
        )
    train = dataset.train.picked(pool.rows)
    labels = [dataset.labels[label] for label in train.labels]
    groups = None if train.groups is None else train.groups.tolist()
    rest, held_out = split_rows(train.texts, labels, groups, optimise.rows / n, optimise.seed)
    digest = f"search {pool.digest} {optimise.seed} {optimise.rows}"
    others, tried_on = np.array(rest, np.int64), np.array(held_out, np.int64)
    inner = replace(dataset, train=train.picked(others), test=train.picked(tried_on), digest=digest, all_train=None)
    sets = shot_sets(settings, inner, others, journal, base)
    prompts = optimise.trials - 1
    return Field(inner, others, sets, prompts if len(sets) == 1 else ceil(prompts / 2))


def shot_sets(
    settings: PromptSettings, inner: Dataset, others: NDArray[np.int64], journal: Journal, base: Path
) -> list[ShotSet]:
    """The suite's own first; where it leaves the choice of rows open, others beside it."""
    assert settings.optimise is not None
    assert inner.train is not None
    plain = settings.model_copy(update={"optimise": None})
    sets = [ShotSet(chosen_shots(plain, inner, journal, base).rows, None)]
    count = shots_wanted(settings)
    if settings.shots_by == "nearest" or (count == 0 and settings.shots_tokens is None):
        return sets
    by: Literal["random", "balanced"] = "random" if settings.shots_by == "random" else "balanced"
    for number in range(1, ceil((settings.optimise.trials - 1) / 2) + 1):
        order = common_order(by, inner.train, settings.optimise.seed * ORDERS_PER_SEED + number)
        if count is None and settings.shots_tokens is None:
            count = SHOTS_TRIED
        shots = Shots(inner, count or 0, settings.shots_tokens, order)
        chosen = np.array(shots.fitting(order, None), np.int64)
        sets.append(ShotSet(shots, tuple(others[chosen].tolist())))
    return sets
