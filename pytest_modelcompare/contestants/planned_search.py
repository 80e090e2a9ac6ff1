"""What the search for a prompt would cost, and with which prompt the test rows are priced until it is chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_modelcompare.contestants.answers import Journal, LLMOptions
from pytest_modelcompare.contestants.estimating import Estimate, estimate
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.prompt_search import proposal_request, require_way_to_search
from pytest_modelcompare.contestants.prompting import prompt_plan
from pytest_modelcompare.contestants.proposals import SUMMARY_CALLS
from pytest_modelcompare.contestants.search_field import Field, field_of
from pytest_modelcompare.contestants.searched import Choice, choice_key, searchable
from pytest_modelcompare.llm.prompts import PromptPlan, requests_for
from pytest_modelcompare.llm.purse import price_of
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records import Dataset

PROPOSED_CHARACTERS = 1_500
"""Longer than most instructions that are proposed: a plan errs on the high side."""

PROPOSAL_INPUT_TOKENS = 2_500
"""DSPy's own words, ten rows or a summary, and three shots; the menu comes on top."""

PROPOSAL_OUTPUT_TOKENS = 500


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """What is still to be searched."""

    calls: int
    """At most; a search that was cut short has some of the answers."""

    estimate: Estimate
    choice: Choice | None
    """Stands in for the prompt that will be chosen; None where nothing is to be searched."""


NOTHING = PlannedSearch(0, Estimate(0.0, 0, 0, ""), None)


def planned_search(
    settings: PromptSettings, dataset: Dataset, journal: Journal, options: LLMOptions, base: Path
) -> PlannedSearch:
    """Price every call of a search that is not stored.

    Raises:
        LLMError, UnavailableError: it cannot be searched here.
        DataError: the training rows cannot be split.
        GateError: the model has no known price.
    """
    if settings.optimise is None:
        return NOTHING
    plan, pool = prompt_plan(settings, dataset, journal, base), searchable(dataset)
    if journal.get(choice_key(settings, plan, pool, base)) is not None:
        return NOTHING
    require_way_to_search(settings, options)
    field = field_of(settings, dataset, pool, journal, base)
    longest = stand_in_instructions(plan)
    trial = requests_for(replace(plan, instructions=longest), field.dataset, field.sets[-1].shown)
    one = estimate(trial, [], dataset.labels, settings.model_copy(update={"batch": False}), options, base)
    tries, calls, written = settings.optimise.trials, field.proposals + SUMMARY_CALLS, proposing(plan, field, options)
    whole = Estimate(
        one.usd * tries + written.usd * calls,
        one.input_tokens * tries + written.input_tokens * calls,
        one.output_tokens * tries + written.output_tokens * calls,
        one.basis,
    )
    stand_in = Choice(longest, field.sets[-1].places, 0, 0, len(trial), tries, 0, 0.0, "", "")
    return PlannedSearch(len(trial) * tries + calls, whole, stand_in)


def stand_in_instructions(plan: PromptPlan) -> str:
    """As long as what may be proposed."""
    return (plan.instructions or "").ljust(PROPOSED_CHARACTERS, "x")


def proposing(plan: PromptPlan, field: Field, options: LLMOptions) -> Estimate:
    """One call of the proposer."""
    request = proposal_request(plan, "\n".join(field.dataset.labels), ())
    taken = PROPOSAL_INPUT_TOKENS + request.input_tokens_estimate()
    given = request.max_output_tokens if plan.effort else PROPOSAL_OUTPUT_TOKENS
    return Estimate(price_of(request, options.prices, Usage(taken, given)), taken, given, "")
