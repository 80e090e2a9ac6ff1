"""A contestant's recording: behind the store while it is replayed, made anew by a refresh."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pytest_modelcompare.llm.answers import Journal, LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompting import Questions
from pytest_modelcompare.llm.reply import reply_from
from pytest_modelcompare.llm.request import Request, first_record
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.store.index import TokenSums
from pytest_modelcompare.store.recordings import HELPER, Records, read_recording

REFRESHES = "refreshes#"
"""Under this key stands how often these rows were asked anew."""


@dataclass(slots=True)
class RecordedJournal:
    """The store's answers; where it has none, those of the recording. New answers go to the store."""

    journal: Journal
    name: str | None = None
    """The recording's name in the suite; None: there is none."""

    recording: Mapping[str, dict[str, Any]] | None = None
    """None: there is no such file yet."""

    helpers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was looked up beside answers: a replay needs it."""

    def get(self, key: str) -> dict[str, Any] | None:
        stored, recorded = self.journal.get(key), (self.recording or {}).get(key)
        record = recorded if stored is None else stored
        if key.startswith(REFRESHES) and stored is not None and recorded is not None:
            record = max(stored, recorded, key=lambda one: int(one["times"]))
        if record is not None and HELPER in key:
            self.helpers[key] = record
        return record

    def put(self, key: str, record: dict[str, Any]) -> None:
        self.journal.put(key, record)
        if HELPER in key:
            self.helpers[key] = record

    def tokens_of(self, model: str) -> TokenSums | None:
        return self.journal.tokens_of(model)


def with_recording(journal: Journal, settings: PromptSettings, base: Path) -> RecordedJournal:
    """Put the contestant's recording, where it has one, behind a journal.

    Raises:
        StoreError: the recording is broken.
    """
    if settings.recording is None:
        return RecordedJournal(journal)
    return RecordedJournal(journal, settings.recording, read_recording(base / settings.recording))


def records_of(asked: Questions, dataset: Dataset, journal: RecordedJournal, rows: Iterable[int]) -> Records:
    """What a replay of these questions needs and the journal has: helpers, then answers in the order of test rows.

    Holds digests of texts, not the texts; no key, no header, no address.

    Args:
        rows: those to record, ascending.
    """
    refreshes(asked.plain, journal)
    lines: dict[str, dict[str, Any]] = {}
    for key in sorted(journal.helpers):
        lines[key] = {name: value for name, value in journal.helpers[key].items() if name != "session"}
    for row in rows:
        for request in asked.of_row(row):
            key = request.key()
            if key not in lines and (record := first_record(journal, request.possible_keys())) is not None:
                lines[key] = line_of(record, request, dataset, row)
    return lines


def line_of(record: Mapping[str, Any], request: Request, dataset: Dataset, row: int) -> dict[str, Any]:
    """One answer as it is recorded."""
    reply = reply_from(record)
    return {
        "row": dataset.test.ids[row],
        "text_sha256": text_digest(dataset.test.texts[row]),
        "provider": request.provider,
        "model": request.model,
        "text": reply.text,
        "stop_reason": reply.stop_reason,
        "usage": asdict(reply.usage),
        "latency_ms": reply.latency_ms,
        "created": reply.created,
    }


def text_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def refreshes(requests: Iterable[Request], journal: Journal) -> dict[str, Any] | None:
    """How often these were asked anew; None: never."""
    return first_record(journal, refreshes_keys(requests))


def refreshes_keys(requests: Iterable[Request]) -> list[str]:
    """By what is asked, whole: another prompt is another question; then as former versions had it."""
    keys = [request.possible_keys() for request in requests]
    both = [sorted({one[at] for one in keys}) for at in (0, -1)]
    return [REFRESHES + hashlib.sha256("".join(one).encode()).hexdigest() for one in both]


def note_refresh(asked: Questions, missing: Sequence[Request], journal: Journal, options: LLMOptions) -> None:
    """Count, once a session, that answered rows are asked anew, before they are: however it ends, it was tried."""
    if options.mode != "refresh" or all(first_record(journal, request.possible_keys()) is None for request in missing):
        return
    known = refreshes(asked.plain, journal) or {"times": 0}
    if known.get("session") != options.session:
        journal.put(refreshes_keys(asked.plain)[0], {"times": int(known["times"]) + 1, "session": options.session})


def refresh_notes(asked: Questions, journal: Journal) -> list[str]:
    """How often these rows were asked anew: who asks until a gate is green deceives himself."""
    known = refreshes(asked.plain, journal)
    if known is None:
        return []
    times = int(known["times"])
    return [f"asked anew {'once' if times == 1 else f'{times:,} times'}"]


@dataclass(frozen=True, slots=True)
class RecordingState:
    """How a recording fits what is asked."""

    words: str = ""
    """Empty where there is no recording."""

    is_stale: bool = False


def recording_state(
    journal: RecordedJournal, asked: Questions, settings: PromptSettings, dataset: Dataset
) -> RecordingState:
    """What is to be said of the contestant's recording."""
    if journal.name is None:
        return RecordingState()
    if journal.recording is None:
        return RecordingState(f"there is no recording {journal.name} yet")
    answers = {key: record for key, record in journal.recording.items() if HELPER not in key}
    wanted = {key for request in asked.all() for key in request.possible_keys()}
    fit = sum(key in wanted for key in answers)
    if fit == len(answers):
        return RecordingState(f"the recording {journal.name} holds {fit:,} answers, all of which fit")
    models = sorted({f"{record['provider']}:{record['model']}" for record in answers.values()} - {settings.model})
    texts = {text_digest(text) for text in dataset.test.texts}
    gone = sum(record["text_sha256"] not in texts for record in answers.values())
    because = [f"it was recorded of {', '.join(models)}"] if models else []
    because += [f"{gone:,} are of texts that are no test rows"] if gone else []
    why = "; ".join(because) or "the prompt is another"
    words = f"the recording {journal.name} is stale: {fit:,} of its {len(answers):,} answers fit ({why})"
    return RecordingState(words, is_stale=True)
