"""How an LLM contestant is planned, asked and replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.llm.answers import Answered, AskPlan, Journal, LLMOptions, Stages
from pytest_modelcompare.llm.batches import is_among
from pytest_modelcompare.llm.estimating import estimate
from pytest_modelcompare.llm.fetching import Fetcher, can_ask, distinct, require_way_to_ask, stored_reply, waiting_keys
from pytest_modelcompare.llm.prompt_search import PromptSearch, planned_search
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import Questions, note_refusal, questions
from pytest_modelcompare.llm.provider import GrammarTooLarge
from pytest_modelcompare.llm.recording import (
    RecordedJournal,
    RecordingState,
    note_refresh,
    recording_state,
    records_of,
    refresh_notes,
    with_recording,
)
from pytest_modelcompare.llm.replies import answered
from pytest_modelcompare.llm.reply import Reply, read_reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.records import NO_ANSWER, Dataset
from pytest_modelcompare.records.jobs import Kind
from pytest_modelcompare.records.progress import Progress, Watch, silent
from pytest_modelcompare.store.recordings import write_recording

FORMS = 2
"""A service may refuse the closed menu of answers, and that of probabilities."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Step:
    """One of the things that are done, in turn, until an LLM has answered."""

    name: str
    kind: Kind
    do: Callable[[LLMOptions, Watch], Any]
    is_idle: Callable[[], bool] = lambda: False
    """Whether, as things stand, it asks for nothing."""

    @property
    def announced_as(self) -> str:
        """What whoever looks on is told: rows are answered, in however many parts."""
        return self.name if self.kind is Kind.SEARCH else "answers"


@dataclass(slots=True)
class Conversation:
    """One contestant and its LLM: what is asked, what is stored, what was replied."""

    settings: PromptSettings
    dataset: Dataset
    journal: RecordedJournal
    base: Path
    stages: Callable[[], Stages | None] = lambda: None
    """In which parts rows are asked, and when enough is known; None: every row is asked at once."""

    replies: dict[str, Reply] = field(default_factory=dict)
    """By the request's key."""

    calls: int = 0
    usd: float = 0.0
    """What answers to test rows took in this session."""

    spent_usd: float = 0.0
    """What everything took, or may have been billed."""

    n_asked: int = 0
    """How many rows of the stages' order are answered."""

    first: Numbers | None = None
    """The rows of the first part, where rows are asked in parts."""

    is_enough: bool = False
    _questions: Questions | None = None
    _stages: Stages | None = None
    _search: PromptSearch | None = None

    def plan(self, options: LLMOptions) -> AskPlan:
        """What is stored, what is missing, and an estimate of its price.

        Raises:
            LLMError: answers are missing and cannot be asked for.
        """
        settings, dataset, journal, base = self.settings, self.dataset, self.journal, self.base
        search = planned_search(settings, dataset, journal, options, base)
        asked = questions(settings, dataset, journal, base, search.choice)
        requests = asked.all()
        found = [(request, stored_reply(request, journal, options)) for request in requests]
        missing = distinct(request for request, reply in found if reply is None)
        key = hashlib.sha256("".join(request.key() for request in requests).encode()).hexdigest()
        if not settings.stop_when_decided:
            words = recording_state(journal, asked, settings, dataset).words
            require_way_to_ask(settings, len(missing), len(requests), options, words)
        elif not can_ask(settings, options):  # what is there may be enough, and nothing else will be asked
            return AskPlan(len(requests), len(missing), 0.0, 0, 0, "none of which can be asked here", key=key)
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
            is_searched=search.choice is None,
            key=key,
        )

    def steps(self, parts: int = 1, *, is_searched: bool = False) -> list[Step]:
        """What is done in turn: the search for a prompt, the rows part by part with a look between, the reading.

        Args:
            parts: how many parts of rows there are, at most.
            is_searched: whether the prompt is chosen already.
        """
        search, optimise = [], self.settings.optimise
        if optimise is not None and not is_searched:
            numbers = range(1, optimise.trials + 1)
            search = [
                Step("proposals", Kind.SEARCH, partial(self.search, PromptSearch.propose)),
                *(
                    Step(f"trial {n}", Kind.SEARCH, partial(self.search, partial(try_prompts, n)), self.all_are_tried)
                    for n in numbers
                ),
                Step("choice", Kind.SEARCH, partial(self.search, PromptSearch.choose), lambda: True),
            ]
        kind = Kind.BATCH if self.settings.batch else Kind.ASK
        rows = [
            step
            for number in range(1, parts + 1)
            for step in (
                Step(f"part {number}", kind, partial(self.ask_part, number), partial(self.needs_no_part, number)),
                Step(f"look {number}", Kind.LOOK, self.look),
            )
        ]
        read = Step("answers", kind, partial(self.read, parts), lambda: bool(self.n_asked))
        return [*search, *rows[:-1], read]  # the last part ends the asking, looked at or not

    def run(self, options: LLMOptions, watch: Watch = silent, parts: int = 1) -> Answered:
        """All steps, one after the other, for whoever has nothing else to do meanwhile.

        Raises:
            LLMError, BudgetError: not every row has an answer; those so far are stored.
            StoreError: the recording is broken, or cannot be written anew.
        """
        found: object = None
        for step in self.steps(parts):
            left = options.budget_usd - self.spent_usd
            found = self.do(step, replace(options, budget_usd=left), watch)
        assert isinstance(found, Answered)
        return found

    def do(self, step: Step, options: LLMOptions, watch: Watch = silent) -> Any:
        """One step; where the service refuses a form, in another form, from the beginning."""
        for _ in range(FORMS):
            try:
                return step.do(options, watch)
            except GrammarTooLarge as refusal:
                note_refusal(refusal, self.settings, self.dataset, self.journal)
                self._questions, self._search, self.calls, self.usd = None, None, 0, 0.0
                self.replies.clear()
        return step.do(options, watch)

    def search(self, go_on: Callable[[PromptSearch], None], options: LLMOptions, watch: Watch) -> None:
        """Go on with the search for a prompt, with what may be spent now."""
        if self._search is None:
            self._search = PromptSearch(self.settings, self.dataset, self.journal, self.base)
        with self.fetcher(options) as fetcher:
            self._search.begin(fetcher, watch)
            go_on(self._search)

    @contextmanager
    def fetcher(self, options: LLMOptions) -> Iterator[Fetcher]:
        """What asks the service; adds up what it spends."""
        fetcher = Fetcher(self.settings, self.journal, options, self.base)
        try:
            yield fetcher
        finally:
            self.spent_usd += fetcher.usd + fetcher.held_usd

    @property
    def asked(self) -> Questions:
        """Every request; with the prompt that was chosen, where one was searched."""
        if self._questions is None:
            self._questions = questions(self.settings, self.dataset, self.journal, self.base)
        return self._questions

    @property
    def rows(self) -> Numbers:
        """The rows that are answered, in the order they were asked."""
        if self._stages is None:
            return np.arange(len(self.dataset.test), dtype=np.int64)
        return self._stages.order[: self.n_asked]

    def ask_part(self, number: int, options: LLMOptions, watch: Watch) -> int:
        """Have the rows of the first parts answered, unless enough is known; returns how many rows these are."""
        if number == 1:
            self._stages = self.stages()
        stages = self._stages
        if self.needs_no_part(number):
            return self.n_asked
        self.n_asked = len(self.dataset.test) if stages is None else stages.ends[number - 1]
        self.answer(self.rows, options, watch)
        if number == 1 and stages is not None:
            self.first = self.rows
        return self.n_asked

    def needs_no_part(self, number: int) -> bool:
        """Whether everything was asked, or enough, before this part."""
        return number > 1 and (self._stages is None or self.is_enough)

    def all_are_tried(self) -> bool:
        """Whether there is no prompt left to try."""
        return self._search is not None and self._search.is_exhausted

    def look(self, options: LLMOptions, watch: Watch) -> bool:  # noqa: ARG002
        """Whether asking may stop."""
        if self._stages is not None and not self.is_enough:
            self.is_enough = self._stages.enough(*self.labels(self.rows))
        return self._stages is None or self.is_enough

    def read(self, parts: int, options: LLMOptions, watch: Watch) -> Answered:
        """The labels; a refresh that ends well writes the recording anew."""
        if not self.n_asked:  # everything is stored, and nothing was run before
            for number in range(1, parts + 1):
                self.ask_part(number, options, watch)
                self.look(options, watch)
        rows, state = self.rows, self.recording
        if options.mode == "refresh" and self.settings.recording is not None:
            records = records_of(self.asked, self.dataset, self.journal, np.sort(rows).tolist())
            write_recording(self.base / self.settings.recording, records)
        found = self.answered(rows, options)
        stale = [state.words] if state.is_stale else []
        notes = [*refresh_notes(self.asked, self.journal), *self.saved(rows), *stale]
        found = replace(found, notes=[*found.notes, *notes], decisive=notes, calls=self.calls, usd=self.usd)
        return found if self.first is None else replace(found, first=self.answered(self.first, options))

    @property
    def recording(self) -> RecordingState:
        return recording_state(self.journal, self.asked, self.settings, self.dataset)

    def answer(self, rows: Numbers, options: LLMOptions, watch: Watch) -> None:
        """Have a reply to every request of some rows; equal texts make equal requests, asked once.

        Raises:
            LLMError, BudgetError: not every row has an answer; those so far are stored.
        """
        requests = [one for one in self.of(rows) if one.key() not in self.replies]
        missing = []
        for request in distinct(requests):
            if (reply := stored_reply(request, self.journal, options)) is None:
                missing.append(request)
            else:
                self.replies[request.key()] = reply
        require_way_to_ask(self.settings, len(missing), len(self.of(rows)), options, self.recording.words)
        if not missing:
            return
        note_refresh(self.asked, missing, self.journal, options)

        def tell(done: int, usd: float) -> None:
            watch(Progress(done, len(missing), f"{usd:.4f} USD"))

        with self.fetcher(options) as fetcher:
            self.replies |= fetcher.ask(missing, tell)
        self.calls, self.usd = self.calls + fetcher.calls, self.usd + fetcher.usd

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

    def answered(self, rows: Numbers, options: LLMOptions) -> Answered:
        """What some rows give; figures are of these rows alone."""
        rows = np.sort(rows)
        parts = [[self.replies[part[row].key()] for row in rows] for part in (self.asked.plain, *self.asked.scores)]
        some = len(rows) < len(self.dataset.test)
        dataset = replace(self.dataset, test=self.dataset.test.picked(rows)) if some else self.dataset
        found = answered(parts, self.settings, dataset, options, self.asked, self.calls, self.usd)
        return replace(found, rows=rows if some else None)

    def saved(self, rows: Numbers) -> list[str]:
        """How many calls stopping spared."""
        n = len(self.dataset.test)
        if len(rows) == n:
            return []
        calls = len({request.key() for request in self.asked.all()} - {request.key() for request in self.of(rows)})
        return [f"asked on {len(rows):,} of {n:,} rows, until every gate was decided: {calls:,} calls saved"]


def try_prompts(count: int, search: PromptSearch) -> None:
    search.try_until(count)


def conversation(settings: PromptSettings, dataset: Dataset, journal: Journal, base: Path) -> Conversation:
    """With the contestant's recording, where it has one, behind the journal.

    Raises:
        StoreError: the recording is broken.
    """
    return Conversation(settings, dataset, with_recording(journal, settings, base), base)
