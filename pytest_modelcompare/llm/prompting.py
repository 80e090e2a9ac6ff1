"""From a contestant's settings to every request it makes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.answers import Journal
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompt_trials import Choice, not_chosen, stored_choice, with_choice
from pytest_modelcompare.llm.prompts import PromptPlan, context_window, requests_for, score_requests
from pytest_modelcompare.llm.provider import GrammarTooLarge
from pytest_modelcompare.llm.providers import provider_kind
from pytest_modelcompare.llm.request import Request, first_record
from pytest_modelcompare.llm.shots import chosen_shots
from pytest_modelcompare.llm.wording import Form
from pytest_modelcompare.records import Dataset

FREE_TEXT = "labels#free-text"
"""Under this key the journal remembers that a service refused a closed menu."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Everything a contestant asks of one suite's test rows."""

    plan: PromptPlan
    plain: list[Request]
    """One per test row: the answer, and what it costs."""

    scores: list[list[Request]]
    """Asked for scores alone: lists of one per test row."""

    notes: list[str]

    def all(self) -> list[Request]:
        """The plain ones first: where the budget ends, they are there."""
        return [*self.plain, *chain.from_iterable(self.scores)]

    def of_row(self, row: int) -> list[Request]:
        return [self.plain[row], *(part[row] for part in self.scores)]


def questions(
    settings: PromptSettings, dataset: Dataset, journal: Journal, base: Path, choice: Choice | None = None
) -> Questions:
    """Every request of a contestant, in the order of the test rows.

    Args:
        choice: the prompt to ask with, where a search is to choose it; None: the one that was chosen.

    Raises:
        LLMError: the instructions cannot be read, or the prompt cannot fit the model.
        ModelError: the encoder of the shots is not there.
    """
    plan = prompt_plan(settings, dataset, journal, base)
    shots = chosen_shots(settings, dataset, journal, base)
    if settings.optimise is not None:
        choice = choice or stored_choice(settings, plan, dataset, journal, base)
        plan, shots = with_choice(plan, shots, choice, dataset) if choice else (plan, not_chosen(shots))
    plain = requests_for(plan, dataset, shots.rows)
    require_room(plain, settings)
    return Questions(
        plan,
        plain,
        score_requests(plan, dataset, shots.rows),
        [*menu_notes(plan, settings, dataset, journal), *shots.notes],
    )


def prompt_plan(settings: PromptSettings, dataset: Dataset, journal: Journal, base: Path) -> PromptPlan:
    """How this contestant asks; free text where the menu is too large for a grammar."""
    provider, _, model = settings.model.partition(":")
    fits = len(dataset.labels) <= provider_kind(provider).largest_menu
    return PromptPlan(
        provider,
        model,
        instructions_text(settings, base),
        settings.max_output_tokens,
        settings.effort,
        settings.base_url,
        fits and menu_refusal(settings, dataset, journal) is None,
        settings.scores,
        settings.votes,
        fits and menu_refusal(settings, dataset, journal, "every") is None,
        settings.service_tier,
        elsewhere(settings),
    )


def note_refusal(refusal: GrammarTooLarge, settings: PromptSettings, dataset: Dataset, journal: Journal) -> None:
    """From now on this service is asked for free text where it refused a closed menu."""
    form: Form = "label" if refusal.form == "label" else "every"
    journal.put(menu_keys(settings, dataset, form)[0], {"refused": str(refusal)})


def menu_refusal(
    settings: PromptSettings, dataset: Dataset, journal: Journal, form: Form = "label"
) -> dict[str, Any] | None:
    """The service's refusal of a closed menu; None: it has not refused one."""
    return first_record(journal, menu_keys(settings, dataset, form))


def menu_keys(settings: PromptSettings, dataset: Dataset, form: Form = "label") -> list[str]:
    """Where a refusal stands, and where former versions put it; both forms with probabilities share one."""
    rest = (dataset.labels,) + ((form,) if form != "label" else ())
    places = dict.fromkeys((settings.base_url, address(settings)))
    facts = [(settings.model, place, *rest) for place in places]
    return [FREE_TEXT + hashlib.sha256(repr(one).encode()).hexdigest() for one in facts]


def menu_notes(plan: PromptPlan, settings: PromptSettings, dataset: Dataset, journal: Journal) -> list[str]:
    """Says so where answers are free text."""
    if plan.structured:
        return []
    refusal = menu_refusal(settings, dataset, journal)
    why = "the menu is too large for the service's grammar"
    if refusal is not None:
        why = f"the service refused the closed menu ({str(refusal['refused'])[:120]})"
    return [f"answers are free text, checked here: {why}"]


def address(settings: PromptSettings) -> str | None:
    """Where requests go, other than to the provider's own address."""
    return settings.base_url or elsewhere(settings)


def elsewhere(settings: PromptSettings) -> str | None:
    """The address that the environment names; the SDK reads the same variable. None where the suite names its own."""
    kind = provider_kind(settings.provider)
    if settings.base_url is not None or kind.url_env is None:
        return None
    return os.environ.get(kind.url_env) or None


def instructions_text(settings: PromptSettings, base: Path) -> str | None:
    """The instructions, from their file where a path is given.

    Raises:
        LLMError: there is no such file.
    """
    text = settings.instructions
    if text is None or not text.endswith((".txt", ".md")) or "\n" in text:
        return text
    try:
        return (base / text).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:  # the latter of other encodings, and of names with a NUL
        raise LLMError(f"the instructions cannot be read: {error}", where=str(base / text)) from error


def require_room(requests: list[Request], settings: PromptSettings) -> None:
    """A budget of shots that the model cannot read is refused before anything is asked.

    Raises:
        LLMError: names the largest that fits.
    """
    window = context_window(settings.model) if settings.shots_tokens else None
    if window is None or not requests:
        return
    longest = max(requests, key=lambda request: len(request.whole_text()))
    over = longest.input_tokens_estimate() + longest.max_output_tokens - window
    if over > 0 and settings.shots_tokens:
        raise LLMError(
            f"the longest prompt takes about {longest.input_tokens_estimate():,} tokens and an answer "
            f"{longest.max_output_tokens:,}; {settings.model} reads {window:,}",
            fix=f"`shots_tokens: {max(1, settings.shots_tokens - over)}` would fit",
        )
