"""The search for a better prompt on training rows, asked for and stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.answers import Journal, LLMOptions
from pytest_modelcompare.llm.estimating import Estimate, estimate
from pytest_modelcompare.llm.fetching import Fetcher, distinct, require_way_to_ask, stored_reply
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompt_trials import Choice, Search, choice_keys, field_of, proposal_request, searchable
from pytest_modelcompare.llm.prompting import prompt_plan
from pytest_modelcompare.llm.prompts import PromptPlan, requests_for
from pytest_modelcompare.llm.proposals import SUMMARY_CALLS, proposer_name, require_dspy
from pytest_modelcompare.llm.purse import price_of
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request, first_record
from pytest_modelcompare.pricing.price_list import Usage, priced_tier
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.records.progress import Progress


def search_prompt(
    settings: PromptSettings, dataset: Dataset, fetcher: Fetcher, progress: Callable[[Progress], None]
) -> None:
    """Choose a prompt and store it, unless one is stored. A search that was cut short asks nothing twice.

    Raises:
        LLMError, BudgetError: it could not be searched; the answers so far are stored.
        NotInstalledError: DSPy is not installed.
    """
    if settings.optimise is None:
        return
    journal = fetcher.journal
    plan, pool = prompt_plan(settings, dataset, journal, fetcher.base), searchable(dataset)
    keys = choice_keys(settings, plan, pool, fetcher.base)
    if first_record(journal, keys) is not None:
        return
    require_way_to_search(settings, fetcher.options)
    spent = fetcher.calls, fetcher.usd

    def replies(requests: Sequence[Request]) -> Sequence[Reply]:
        def tell(done: int, usd: float) -> None:
            if len(requests) > 1:  # one at a time are proposals
                progress(Progress(done, len(requests), f"searching a prompt, {usd:.4f} USD"))

        return fetcher.replies(requests, tell)

    search = Search(settings, plan, field_of(settings, dataset, pool, journal, fetcher.base), replies)
    best = search.run()
    choice = Choice(
        search.instructions[best.instructions],
        search.where.sets[best.shots].places,
        best.right,
        search.trials[0].right,
        len(search.where.dataset.test),
        len(search.trials),
        fetcher.calls - spent[0],
        fetcher.usd - spent[1],
        datetime.now(UTC).isoformat(),
        proposer_name(),
    )
    journal.put(keys[0], choice.as_record(fetcher.options.session))


def require_way_to_search(settings: PromptSettings, options: LLMOptions) -> None:
    """Raises LLMError or UnavailableError where no prompt can be searched here."""
    if options.mode == "replay":
        raise LLMError(
            f"the prompt of {settings.model} is not chosen yet, and --modelcompare-llm=replay asks nothing",
            fix="run once with --modelcompare-llm=auto and a key, or bring the store or a recording along",
        )
    require_way_to_ask(settings, 1, 1, options, "")
    require_dspy()


PROPOSED_CHARACTERS = 1_500
"""Longer than most instructions that are proposed: a plan errs on the high side."""

PROPOSAL_INPUT_TOKENS = 2_500
"""DSPy's own words, ten rows or a summary, and three shots; the menu comes on top."""

PROPOSAL_OUTPUT_TOKENS = 500


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """What is still to be searched."""

    calls: int
    """At most."""

    stored: int
    """Calls of the search that are there already."""

    estimate: Estimate
    choice: Choice | None
    """Stands in for the prompt that will be chosen; None where nothing is to be searched."""


NOTHING = PlannedSearch(0, 0, Estimate(0.0, 0, 0, ""), None)


class NotStored(Exception):
    """The search can be followed up to here.

    Args:
        missing: requests without an answer.
    """

    def __init__(self, missing: Sequence[Request]) -> None:
        super().__init__(f"{len(missing)} answers")
        self.missing = missing


@dataclass(slots=True)
class StoredReplies:
    """The journal's replies, and nothing else."""

    journal: Journal
    options: LLMOptions
    count: int = 0
    """How many were there."""

    of_trials: list[tuple[Request, Reply]] = field(default_factory=list)

    def __call__(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Raises NotStored where one is missing."""
        known = [(request, stored_reply(request, self.journal, self.options)) for request in requests]
        there = {request.key(): (request, reply) for request, reply in known if reply is not None}
        self.count += len(there)
        if len(requests) > 1:  # a proposal is asked for alone
            self.of_trials += there.values()
        if missing := distinct(request for request, reply in known if reply is None):
            raise NotStored(missing)
        return [there[request.key()][1] for request in requests]


def planned_search(
    settings: PromptSettings, dataset: Dataset, journal: Journal, options: LLMOptions, base: Path
) -> PlannedSearch:
    """Price every call of a search that is not stored; what a search that was cut short has stored costs nothing.

    Raises:
        LLMError, UnavailableError: it cannot be searched here.
        DataError: the training rows cannot be split.
        GateError: the model has no known price.
    """
    if settings.optimise is None:
        return NOTHING
    plan, pool = prompt_plan(settings, dataset, journal, base), searchable(dataset)
    if first_record(journal, choice_keys(settings, plan, pool, base)) is not None:
        return NOTHING
    require_way_to_search(settings, options)
    replies = StoredReplies(journal, options)
    search = Search(settings, plan, field_of(settings, dataset, pool, journal, base), replies)
    try:
        best = search.run()
    except NotStored as gap:
        return left_of(search, gap.missing, replies, options, base)
    choice = stand_in(search, search.instructions[best.instructions], best.shots)
    return PlannedSearch(0, replies.count, NOTHING.estimate, choice)


def left_of(
    search: Search, gap: Sequence[Request], replies: StoredReplies, options: LLMOptions, base: Path
) -> PlannedSearch:
    """The calls from the first answer on that is not stored.

    Args:
        gap: what is missing of the step that the search has come to.
    """
    assert search.settings.optimise is not None
    proposals, trials = 0, search.trials_left - 1
    longest = max(search.instructions, key=lambda text: len(text or ""), default=None)
    if not search.instructions:  # not all of them are proposed
        proposals = max(1, search.where.proposals + SUMMARY_CALLS - search.proposal_calls)
        gap, trials, longest = (), search.settings.optimise.trials, stand_in_instructions(search.plan)
    where, plain = search.where, search.settings.model_copy(update={"batch": False})
    trial = requests_for(replace(search.plan, instructions=longest), where.dataset, where.sets[-1].shown)

    def priced(requests: Sequence[Request]) -> Estimate:
        known = replies.journal.tokens_of(plain.model)
        return estimate(requests, replies.of_trials, where.dataset.labels, plain, options, base, known)

    rest, one, written = priced(gap), priced(trial), proposing(search, options)
    parts = ((rest, 1), (one, trials), (written, proposals))
    return PlannedSearch(
        len(gap) + len(trial) * trials + proposals,
        replies.count,
        Estimate(
            sum(part.usd * times for part, times in parts),
            sum(part.input_tokens * times for part, times in parts),
            sum(part.output_tokens * times for part, times in parts),
            one.basis,
            one.error,
        ),
        stand_in(search, longest, len(where.sets) - 1),
    )


def stand_in(search: Search, instructions: str | None, shots: int) -> Choice:
    """A prompt as it may be chosen."""
    return Choice(instructions, search.where.sets[shots].places, 0, 0, 0, len(search.trials), 0, 0.0, "", "")


def stand_in_instructions(plan: PromptPlan) -> str:
    """As long as what may be proposed."""
    return (plan.instructions or "").ljust(PROPOSED_CHARACTERS, "x")


def proposing(search: Search, options: LLMOptions) -> Estimate:
    """One call of the proposer."""
    request = proposal_request(search.plan, "\n".join(search.where.dataset.labels), ())
    taken = PROPOSAL_INPUT_TOKENS + request.input_tokens_estimate()
    given = request.max_output_tokens if search.plan.effort else PROPOSAL_OUTPUT_TOKENS
    usage = Usage(taken, given, tier=priced_tier(request.service_tier))
    return Estimate(price_of(request, options.prices, usage), taken, given, "")
