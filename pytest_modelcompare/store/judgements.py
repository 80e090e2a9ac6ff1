"""How often test rows have been judged: one line per session, suite and process, appended."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.lines import append_line, lines_of

JOURNAL = "judgements.jsonl"


@dataclass(frozen=True, slots=True)
class Judged:
    """How often one gate was judged on one set of test rows."""

    sessions: frozenset[str] = frozenset()
    model_keys: frozenset[str] = frozenset()
    """Of each distinct set of answers that was judged."""

    since: str = ""
    """ISO 8601 date of the first time; empty: never."""

    @property
    def times(self) -> int:
        return len(self.sessions)

    @property
    def models(self) -> int:
        return len(self.model_keys)

    def and_now(self, session: str, *models: str) -> Judged:
        since = self.since or datetime.now(UTC).isoformat(timespec="seconds")
        return Judged(self.sessions | {session}, self.model_keys.union(models), since)


@dataclass(frozen=True, slots=True)
class Judgements:
    """What this store's earlier sessions judged on one set of test rows."""

    past: Mapping[str, Judged] = field(default_factory=dict)
    """By gate."""

    of_rows: Judged = field(default_factory=Judged)
    """Of all gates together; its models are single contestants."""

    def of(self, gate: str) -> Judged:
        return self.past.get(gate, Judged())


@dataclass(slots=True)
class Tally:
    """A `Judged` while it is counted."""

    sessions: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    since: str = ""

    def add(self, session: str, models: Iterable[str], date: str) -> None:
        self.sessions.add(session)
        self.models.update(models)
        self.since = min(self.since, date) if self.since else date

    def done(self) -> Judged:
        return Judged(frozenset(self.sessions), frozenset(self.models), self.since)


def read_judgements(folders: StoreFolders, test_rows: str) -> Judgements:
    """Everything judged on these rows; a torn line, as a killed process leaves it, counts for nothing."""
    path = folders.root / JOURNAL
    gates, whole = defaultdict[str, Tally](Tally), Tally()
    for noted in lines_of(path):
        if noted["rows"] != test_rows:
            continue
        for gate, models in noted["gates"].items():
            gates[gate].add(noted["session"], [models], noted["date"])
            whole.add(noted["session"], models.split("+"), noted["date"])
    return Judgements({gate: tally.done() for gate, tally in gates.items()}, whole.done())


def note_judgements(folders: StoreFolders, test_rows: str, session: str, gates: Mapping[str, str]) -> None:
    """Append what a session judged.

    Args:
        gates: gate → keys of the answers it was judged on, joined by "+".
    """
    date = datetime.now(UTC).isoformat(timespec="seconds")
    line = json.dumps({"rows": test_rows, "session": session, "date": date, "gates": dict(gates)}, sort_keys=True)
    path = folders.runs.parent / JOURNAL
    with store_errors(path):
        append_line(path, line.encode() + b"\n")
