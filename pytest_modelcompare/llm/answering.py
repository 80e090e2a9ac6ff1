"""How an LLM contestant is planned, asked and replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.llm.answers import Answered, AskPlan, Journal, LLMOptions, Stages
from pytest_modelcompare.llm.batches import is_among
from pytest_modelcompare.llm.estimating import estimate
from pytest_modelcompare.llm.fetching import Fetcher, can_ask, distinct, require_way_to_ask, stored_reply, waiting_keys
from pytest_modelcompare.llm.prompt_search import planned_search, search_prompt
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import Questions, note_refusal, questions
from pytest_modelcompare.llm.provider import GrammarTooLarge
from pytest_modelcompare.llm.recording import (
    RecordedJournal,
    is_stale,
    note_refresh,
    recording_words,
    records_of,
    refresh_notes,
    with_recording,
)
from pytest_modelcompare.llm.replies import answered
from pytest_modelcompare.llm.reply import Reply, read_reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.records import NO_ANSWER, Dataset
from pytest_modelcompare.records.progress import Progress, silent
from pytest_modelcompare.store.recordings import write_recording

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


Numbers = NDArray[np.int64]


@dataclass(slots=True)
class Asking:
    """One contestant's questions while they are answered."""

    settings: PromptSettings
    dataset: Dataset
    journal: RecordedJournal
    options: LLMOptions
    fetcher: Fetcher
    progress: Callable[[Progress], None]
    asked: Questions
    replies: dict[str, Reply] = field(default_factory=dict)
    """By the request's key."""

    calls_before: int = 0
    usd_before: float = 0.0
    """What the fetcher had spent for something else, a search or a menu that was refused."""

    def run(self, stages: Stages | None) -> Answered:
        """Every row, or those until enough is known; a refresh that ends well writes the recording anew."""
        self.calls_before, self.usd_before = self.fetcher.calls, self.fetcher.usd
        words = recording_words(self.journal, self.asked, self.settings, self.dataset)
        rows = np.arange(len(self.dataset.test), dtype=np.int64)
        first: Numbers | None = None
        if stages is None:
            self.answer(rows, words)
        else:
            for rows in prefixes(stages):
                first = rows if first is None else first
                self.answer(rows, words)
                if stages.enough(*self.labels(rows)):
                    break
        if self.options.mode == "refresh" and self.settings.recording is not None:
            records = records_of(self.asked, self.dataset, self.journal, np.sort(rows).tolist())
            write_recording(self.fetcher.base / self.settings.recording, records)
        found = self.answered(rows)
        notes = [*refresh_notes(self.asked, self.journal), *self.saved(rows), *([words] if is_stale(words) else [])]
        found = replace(found, notes=[*found.notes, *notes], decisive=notes, calls=self.calls, usd=self.usd)
        return found if first is None else replace(found, first=self.answered(first))

    @property
    def calls(self) -> int:
        return self.fetcher.calls - self.calls_before

    @property
    def usd(self) -> float:
        return self.fetcher.usd - self.usd_before

    def answer(self, rows: Numbers, words: str) -> None:
        """Have a reply to every request of some rows; equal texts make equal requests, asked once.

        Raises:
            LLMError, BudgetError: not every row has an answer; those so far are stored.
        """
        requests = [one for one in self.of(rows) if one.key() not in self.replies]
        missing = []
        for request in distinct(requests):
            if (reply := stored_reply(request, self.journal, self.options)) is None:
                missing.append(request)
            else:
                self.replies[request.key()] = reply
        require_way_to_ask(self.settings, len(missing), len(self.of(rows)), self.options, words)
        if not missing:
            return
        note_refresh(self.asked, missing, self.journal, self.options)
        self.replies |= self.fetcher.ask(
            missing, lambda done, usd: self.progress(Progress(done, len(missing), f"{usd:.4f} USD"))
        )

    def of(self, rows: Numbers) -> list[Request]:
        """Every request of some rows, the plain ones first: where the budget ends, they are there."""
        return [part[row] for part in (self.asked.plain, *self.asked.scores) for row in rows]

    def labels(self, rows: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """The label of each row that is answered, and which these are; both (n,), in test order."""
        numbers, n = self.dataset.label_number(), len(self.dataset.test)
        labels, final = np.full(n, NO_ANSWER, np.int64), np.zeros(n, bool)
        for row in rows:
            labels[row] = read_reply(self.replies[self.asked.plain[row].key()], numbers).label
        final[rows] = True
        return labels, final

    def answered(self, rows: Numbers) -> Answered:
        """What some rows give; figures are of these rows alone."""
        rows = np.sort(rows)
        parts = [[self.replies[part[row].key()] for row in rows] for part in (self.asked.plain, *self.asked.scores)]
        some = len(rows) < len(self.dataset.test)
        dataset = replace(self.dataset, test=self.dataset.test.picked(rows)) if some else self.dataset
        found = answered(parts, self.settings, dataset, self.options, self.asked, self.calls, self.usd)
        return replace(found, rows=rows if some else None)

    def saved(self, rows: Numbers) -> list[str]:
        """How many calls stopping spared."""
        n = len(self.dataset.test)
        if len(rows) == n:
            return []
        calls = len({request.key() for request in self.asked.all()} - {request.key() for request in self.of(rows)})
        return [f"asked on {len(rows):,} of {n:,} rows, until every gate was decided: {calls:,} calls saved"]


def prefixes(stages: Stages) -> Iterator[Numbers]:
    """The first rows of the order, more and more of them."""
    for end in stages.ends:
        yield stages.order[:end]
