"""How an LLM contestant is planned, asked and replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_modelcompare.contestants.answers import Answered, AskPlan, Journal, LLMOptions, Stages
from pytest_modelcompare.contestants.asking_rows import Asking
from pytest_modelcompare.contestants.base import Progress, silent
from pytest_modelcompare.contestants.clients import waiting_keys
from pytest_modelcompare.contestants.estimating import estimate
from pytest_modelcompare.contestants.fetching import Fetcher, can_ask, distinct, require_way_to_ask, stored_reply
from pytest_modelcompare.contestants.planned_search import planned_search
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.prompt_search import search_prompt
from pytest_modelcompare.contestants.prompting import note_refusal, questions
from pytest_modelcompare.contestants.recorded import recording_words, with_recording
from pytest_modelcompare.llm.batches import is_among
from pytest_modelcompare.llm.provider import GrammarTooLarge
from pytest_modelcompare.records import Dataset

FORMS = 2
"""A service may refuse the closed menu of answers, and that of probabilities."""


class PromptMethod:
    """Plans, asks and replays."""

    key = "prompt"

    def plan(
        self, settings: PromptSettings, dataset: Dataset, journal: Journal, options: LLMOptions, base: Path
    ) -> AskPlan:
        """What is stored, what is missing, and an estimate of its price.

        Raises:
            LLMError: answers are missing and cannot be asked for.
        """
        recorded = with_recording(journal, settings, base)
        search = planned_search(settings, dataset, recorded, options, base)
        asked = questions(settings, dataset, recorded, base, search.choice)
        requests = asked.all()
        found = [(request, stored_reply(request, recorded, options)) for request in requests]
        missing = distinct(request for request, reply in found if reply is None)
        words = recording_words(recorded, asked, settings, dataset)
        if not settings.stop_when_decided:
            require_way_to_ask(settings, len(missing), len(requests), options, words)
        elif not can_ask(settings, options):  # what is there may be enough, and nothing else will be asked
            return AskPlan(len(requests), len(missing), 0.0, 0, 0, "none of which can be asked here")
        # without `batch`, what is under way is not waited for: it is asked, and paid, once more
        sent = waiting_keys(settings, options.batches) if settings.batch else frozenset()
        unsent = [request for request in missing if not is_among(request, sent)]
        stored = [(request, reply) for request, reply in found if reply is not None]
        known = journal.tokens_of(settings.model)
        guess = estimate(unsent, stored, dataset.labels, settings, options, base, known)
        told = guess if guess.basis else search.estimate
        return AskPlan(
            len(distinct(requests)) + search.calls + search.stored,
            len(missing) + search.calls,
            guess.usd + search.estimate.usd,
            guess.input_tokens + search.estimate.input_tokens,
            guess.output_tokens + search.estimate.output_tokens,
            told.basis,
            told.error,
            search.calls,
            len(missing) - len(unsent),
        )

    def run(
        self,
        settings: PromptSettings,
        dataset: Dataset,
        journal: Journal,
        options: LLMOptions,
        base: Path,
        progress: Callable[[Progress], None] = silent,
        stages: Stages | None = None,
    ) -> Answered:
        """Take the stored answers, or the recorded ones, ask for the rest, read the labels.

        Args:
            stages: ask in parts, and stop where enough is known; None: ask every row.

        Raises:
            LLMError, BudgetError: not every row has an answer; those so far are stored.
            StoreError: the recording is broken, or cannot be written anew.
        """
        recorded = with_recording(journal, settings, base)
        fetcher = Fetcher(settings, recorded, options, base)

        def ask() -> Answered:
            search_prompt(settings, dataset, fetcher, progress)
            asked = questions(settings, dataset, recorded, base)
            return Asking(settings, dataset, recorded, options, fetcher, progress, asked).run(stages)

        for _ in range(FORMS):
            try:
                return ask()
            except GrammarTooLarge as refusal:
                note_refusal(refusal, settings, dataset, recorded)
        return ask()


__all__ = ["Answered", "AskPlan", "Journal", "LLMOptions", "PromptMethod", "Stages"]
