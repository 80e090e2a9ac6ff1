"""What a session found of a suite, small enough to be kept for good: verdicts and figures, no rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_modelcompare.records.report import MetricReport


@dataclass(frozen=True, slots=True)
class GateThen:
    """A gate's verdict in one session."""

    gate: str
    outcome: str
    """pass, fail, undecided, error or skipped."""

    name: str | None = None
    value: float | None = None
    """The tested quantity; None where nothing was measured, or it was not finite."""

    low: float | None = None
    high: float | None = None
    threshold: float | None = None

    def is_same(self, gate: str, name: str | None) -> bool:
        """Whether it is this gate: by its name, which stays when the sentence changes, or by its sentence."""
        return self.gate == gate or (self.name is not None and self.name == name)


@dataclass(frozen=True, slots=True)
class ContestantThen:
    """A contestant's figures in one session, and where the store keeps its answers."""

    method: str
    model: str | None = None
    figures: Mapping[str, MetricReport] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    """Fingerprints, one per seed."""

    answers: str | None = None
    """Key of the answers of a contestant without runs."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The version of the code that a session ran on; empty where there is no git."""

    commit: str = ""
    branch: str = ""
    dirty: bool = False
    """Tracked files were changed since the commit."""


@dataclass(frozen=True, slots=True)
class SessionThen:
    """One suite in one session."""

    session: str
    created: str
    """ISO 8601, UTC: the session's end."""

    suite: str
    """The suite's path as the store knows it; see `store.history.suite_key`."""

    name: str
    revision: Revision = field(default_factory=Revision)
    machine: str = ""
    rows: str = ""
    """Digest of the test rows; empty where there were none."""

    confidence: float = 0.95
    """Of each bound of the contestants' figures."""

    contestants: Mapping[str, ContestantThen] = field(default_factory=dict)
    gates: tuple[GateThen, ...] = ()
