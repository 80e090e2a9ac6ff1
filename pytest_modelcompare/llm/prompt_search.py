"""The search for a better prompt on training rows, asked for and stored."""

from __future__ import annotations

from collections.abc import Sequence
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
from pytest_modelcompare.records.progress import Progress, Watch, silent


@dataclass(slots=True)
class PromptSearch:
    """Chooses a prompt and stores it, unless one is stored. A search that was cut short asks nothing twice.

    Every step raises LLMError or BudgetError where it cannot be made, the answers so far stored, and
    UnavailableError where DSPy is not installed.
    """

    settings: PromptSettings
    dataset: Dataset
    journal: Journal
    base: Path
    calls: int = 0
    usd: float = 0.0
    _fetcher: Fetcher | None = None
    _watch: Watch = silent
    _trials: Search | None = None
    _keys: list[str] = field(default_factory=list)

    def begin(self, fetcher: Fetcher, watch: Watch) -> None:
        """Go on with what may be spent now."""
        self._fetcher, self._watch = fetcher, watch

    @property
    def fetcher(self) -> Fetcher:
        assert self._fetcher is not None
        return self._fetcher

    @property
    def is_over(self) -> bool:
        """Whether a prompt was chosen, by whomever."""
        return first_record(self.journal, self.keys) is not None

    @property
    def is_exhausted(self) -> bool:
        """Whether all pairs of instructions and shots were tried."""
        return self._trials is not None and bool(self._trials.trials) and self._trials.trials_left <= 0

    @property
    def keys(self) -> list[str]:
        """Where the choice stands."""
        if not self._keys:
            plan = prompt_plan(self.settings, self.dataset, self.journal, self.base)
            self._keys = choice_keys(self.settings, plan, searchable(self.dataset), self.base)
        return self._keys

    @property
    def trials(self) -> Search:
        if self._trials is None:
            settings, dataset, journal, base = self.settings, self.dataset, self.journal, self.base
            plan, pool = prompt_plan(settings, dataset, journal, base), searchable(dataset)
            self._trials = Search(settings, plan, field_of(settings, dataset, pool, journal, base), self.replies)
        return self._trials

    def replies(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Stored ones, the rest asked for."""
        fetcher = self.fetcher
        calls, usd = fetcher.calls, fetcher.usd

        def tell(done: int, spent: float) -> None:
            if len(requests) > 1:  # one at a time are proposals
                self._watch(Progress(done, len(requests), f"searching a prompt, {spent:.4f} USD"))

        try:
            return fetcher.replies(requests, tell)
        finally:
            self.calls, self.usd = self.calls + fetcher.calls - calls, self.usd + fetcher.usd - usd

    def propose(self) -> None:
        """Have instructions written."""
        if not self.is_over:
            require_way_to_search(self.settings, self.fetcher.options)
            self.trials.propose()

    def try_until(self, count: int) -> None:
        """Try so many prompts, those tried before counted in, or all that there are."""
        if not self.is_over:
            self.propose()
            self.trials.try_until(count)

    def choose(self) -> None:
        """Store the best."""
        if self.is_over:
            return
        assert self.settings.optimise is not None
        self.try_until(self.settings.optimise.trials)
        search, best = self.trials, self.trials.best
        choice = Choice(
            search.instructions[best.instructions],
            search.where.sets[best.shots].places,
            best.right,
            search.trials[0].right,
            len(search.where.dataset.test),
            len(search.trials),
            self.calls,
            self.usd,
            datetime.now(UTC).isoformat(),
            proposer_name(),
        )
        self.journal.put(self.keys[0], choice.as_record(self.fetcher.options.session))


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
