"""The search for a better prompt: instructions that the model proposes, sets of shots, and rows to try them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import mean

import numpy as np

from pytest_modelcompare.contestants.answers import LLMOptions
from pytest_modelcompare.contestants.base import Progress
from pytest_modelcompare.contestants.fetching import Fetcher, require_way_to_ask
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.prompting import prompt_plan
from pytest_modelcompare.contestants.proposals import Messages, proposed_instructions, proposer_name, require_dspy
from pytest_modelcompare.contestants.search_field import Field, field_of
from pytest_modelcompare.contestants.searched import Choice, choice_key, searchable
from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.prompts import PromptPlan, requests_for, shots_at
from pytest_modelcompare.llm.reply import label_in
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.wording import TASK, menu_text
from pytest_modelcompare.records import Dataset

PROPOSAL_TOKENS = 1_500
"""Room for a proposal, beside what the suite gives an answer."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One prompt that was tried."""

    instructions: int
    shots: int
    right: int


def search_prompt(
    settings: PromptSettings, dataset: Dataset, fetcher: Fetcher, progress: Callable[[Progress], None]
) -> None:
    """Choose a prompt and store it, unless one is stored. A search that was cut short asks nothing twice.

    Raises:
        LLMError, BudgetError: it could not be searched; the answers so far are stored.
        UnavailableError: DSPy is not installed.
    """
    if settings.optimise is None:
        return
    journal, options = fetcher.journal, fetcher.options
    plan = prompt_plan(settings, dataset, journal, fetcher.base)
    pool = searchable(dataset)
    key = choice_key(settings, plan, pool, fetcher.base)
    if journal.get(key) is not None:
        return
    require_way_to_search(settings, options)
    spent = fetcher.calls, fetcher.usd
    field = field_of(settings, dataset, pool, journal, fetcher.base)
    instructions = [plan.instructions, *proposed(settings, plan, field, fetcher)]
    trials = [tried(0, 0, plan, instructions, field, fetcher, progress)]
    while len(trials) < settings.optimise.trials and (pair := next_pair(trials, len(instructions), len(field.sets))):
        trials.append(tried(*pair, plan, instructions, field, fetcher, progress))
    best = max(trials, key=lambda trial: trial.right)  # of equals the first: the suite's own wins
    choice = Choice(
        instructions[best.instructions],
        field.sets[best.shots].places,
        best.right,
        trials[0].right,
        len(field.dataset.test),
        len(trials),
        fetcher.calls - spent[0],
        fetcher.usd - spent[1],
        datetime.now(UTC).isoformat(),
        proposer_name(),
    )
    journal.put(key, choice.as_record(options.session))


def require_way_to_search(settings: PromptSettings, options: LLMOptions) -> None:
    """Raises LLMError or UnavailableError where no prompt can be searched here."""
    if options.mode == "replay":
        raise LLMError(
            f"the prompt of {settings.model} is not chosen yet, and --modelcompare-llm=replay asks nothing",
            fix="run once with --modelcompare-llm=auto and a key, or bring the store or a recording along",
        )
    require_way_to_ask(settings, 1, 1, options, "")
    require_dspy()


def proposed(settings: PromptSettings, plan: PromptPlan, field: Field, fetcher: Fetcher) -> list[str]:
    """Instructions that the model writes, each call a request like any other."""
    assert settings.optimise is not None
    assert field.dataset.train is not None
    times: dict[str, int] = {}

    def send(system: str, messages: Messages) -> str:
        request = proposal_request(plan, system, messages)
        sample = times[request.key()] = times.get(request.key(), -1) + 1
        return fetcher.replies([replace(request, sample=sample)], lambda _, __: None)[0].text

    rows = np.random.default_rng(settings.optimise.seed).permutation(len(field.rest)).tolist()
    shots = shots_at(field.dataset, rows)
    menu = menu_text(field.dataset.labels, field.dataset.descriptions)
    task = f"{plan.instructions or TASK}\n\n(The list of labels follows by itself and need not be repeated:\n{menu})"
    own = plan.instructions or TASK
    found = proposed_instructions(send, task, shots, field.proposals, settings.optimise.seed)
    return [text for text in found if text != own]


def proposal_request(plan: PromptPlan, system: str, messages: Messages) -> Request:
    """Free text, and room for it."""
    room = plan.max_output_tokens + PROPOSAL_TOKENS
    return Request(plan.provider, plan.model, system, messages, None, room, plan.effort, plan.base_url)


def tried(
    instructions: int,
    shots: int,
    plan: PromptPlan,
    texts: Sequence[str | None],
    field: Field,
    fetcher: Fetcher,
    progress: Callable[[Progress], None],
) -> Trial:
    """Ask every row that was held out with one prompt."""
    requests = requests_for(replace(plan, instructions=texts[instructions]), field.dataset, field.sets[shots].shown)
    replies = fetcher.replies(
        requests, lambda done, usd: progress(Progress(done, len(requests), f"searching a prompt, {usd:.4f} USD"))
    )
    numbers = field.dataset.label_number()
    truth = field.dataset.test.labels.tolist()
    right = sum(label_in(reply, numbers)[0] == label for reply, label in zip(replies, truth, strict=True))
    return Trial(instructions, shots, right)


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
