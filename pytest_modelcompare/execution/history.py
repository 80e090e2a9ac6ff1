"""What a session leaves for later ones: a line of history, its last report, answers to be compared with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.execution.revision import revision_of
from pytest_modelcompare.records.history import ContestantThen, GateThen, SessionThen
from pytest_modelcompare.records.report import ContestantReport, GateReport, SessionReport, SuiteReport
from pytest_modelcompare.store.answered import AnsweredStore, TestRows, answers_digest
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.history import note_session, read_history, suite_key

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.records import Evidence

SHOWN = 30
"""Sessions of a gate that a report carries."""

History = dict[str, list[dict[str, Any]]]


def keep_answers(comparison: Comparison) -> None:
    """Keep the test rows, and the answers of contestants without runs."""
    dataset = comparison.dataset
    if dataset is None or comparison.options.smoke or not comparison.judged:
        return
    store = AnsweredStore(comparison.folders)
    store.keep_rows(test_rows_digest(dataset), TestRows(dataset.labels, dataset.test.labels, dataset.test.groups))
    for evidence in comparison.evidence().values():
        if answers_key_of(comparison, evidence):
            store.keep_answers(evidence.predictions)


def answers_key_of(comparison: Comparison, evidence: Evidence) -> str | None:
    """Under which the store keeps a contestant's answers; None where it keeps its runs, or rows are left out."""
    if comparison.runs.get(evidence.name) or not evidence.predictions:
        return None
    answered = comparison.answered.get(evidence.name)
    if answered is not None and answered.rows is not None:  # an LLM that stopped early: its answers pair with no others
        return None
    return answers_digest(evidence.predictions)


def session_of(suite: SuiteReport, report: SessionReport, session: str, key: str) -> SessionThen:
    """A suite's part of a report, as history keeps it."""
    return SessionThen(
        session,
        report.created,
        key,
        suite.name,
        revision_of(Path(suite.path).parent),
        str(report.machine.get("name", "")),
        str(suite.data.get("test_digest") or ""),
        float(suite.data.get("confidence") or 0.95),
        {name: contestant_then(row) for name, row in suite.contestants.items()},
        tuple(gate_then(gate) for gate in suite.gates),
    )


def contestant_then(row: ContestantReport) -> ContestantThen:
    return ContestantThen(row.method, row.model, row.metrics, tuple(row.runs), row.answers)


def gate_then(gate: GateReport) -> GateThen:
    found = gate.difference or {}
    value, low, high = (found.get(name) for name in ("value", "low", "high"))
    return GateThen(gate.gate, gate.outcome, gate.name, value, low, high, gate.threshold)


def history_of(sessions: Iterable[SessionThen], gates: Iterable[GateReport | GateThen]) -> History:
    """Gate → its verdicts, oldest first. A gate with a name keeps its history when its sentence changes."""
    sessions = list(sessions)
    return {gate.gate: of_gate(sessions, gate)[-SHOWN:] for gate in gates}


def of_gate(sessions: Sequence[SessionThen], gate: GateReport | GateThen) -> list[dict[str, Any]]:
    found = []
    for then in sessions:
        own = next((one for one in then.gates if one.is_same(gate.gate, gate.name)), None)
        if own is None:
            continue
        facts = {name: getattr(own, name) for name in ("outcome", "value", "low", "high", "threshold")}
        where = {"created": then.created, "commit": then.revision.commit, "branch": then.revision.branch}
        found.append({**where, **facts})
    return found


def note(report: SessionReport, store: Path, session: str) -> dict[str, History]:
    """Append a session to the history, and keep its report as the last one of each suite.

    Returns:
        suite path → history of its gates, with this session.

    Raises:
        StoreError: the store cannot be read or written.
    """
    folders, found = StoreFolders(store), {}
    for suite in report.suites:
        if not suite.gates and not suite.contestants:
            continue
        key = suite_key(Path(suite.path), store)
        then = session_of(suite, report, session, key)
        note_session(folders, then)
        found[suite.path] = history_of(read_history(folders, key), suite.gates)
    return found


def last_report_path(store: Path, key: str) -> Path:
    """Where the last report of a suite stands. The folder is not made."""
    return store / "reports" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def last_report(store: Path, key: str) -> SessionReport | None:
    """The last session's report of a suite; None where there was none."""
    path = last_report_path(store, key)
    return SessionReport.from_json(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
