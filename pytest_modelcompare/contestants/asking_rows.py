"""The answers of a contestant's rows: stored ones first, the rest asked for, all at once or in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.contestants.answers import Answered, LLMOptions, Stages
from pytest_modelcompare.contestants.base import Progress
from pytest_modelcompare.contestants.fetching import Fetcher, distinct, require_way_to_ask, stored_reply
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.prompting import Questions
from pytest_modelcompare.contestants.recorded import (
    RecordedJournal,
    is_stale,
    note_refresh,
    recording_words,
    records_of,
    refresh_notes,
)
from pytest_modelcompare.contestants.replies import answered
from pytest_modelcompare.llm.reply import Reply, read_reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.records import NO_ANSWER, Dataset
from pytest_modelcompare.store.recordings import write_recording

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
