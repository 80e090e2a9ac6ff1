"""What a session found, as plain data: the one source of the summary and of every report.

Each record holds only JSON types, so it also travels from an xdist worker to the controller.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Spend:
    """What this session used."""

    usd: float = 0.0
    calls: int = 0
    stored_answers: int = 0
    trainings: int = 0
    stored_runs: int = 0


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One figure of the table. `low`/`high` are None for exact or untested figures."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class ContestantReport:
    """One row of the table."""

    method: str
    model: str | None
    stored: bool
    """True: nothing was trained or asked for it in this session."""

    machine: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, MetricReport] = field(default_factory=dict)
    """By metric name as in the catalogue."""

    seeds: list[int] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    """Fingerprints."""

    cost_assumptions: str | None = None
    timing_machine: str | None = None
    timing_date: str | None = None
    recorded: str | None = None
    """When the answers were recorded, for LLM answers: ISO date or date range."""

    failures: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GateReport:
    """One gate's line."""

    gate: str
    name: str | None
    nodeid: str
    line: int
    outcome: str
    """pass, fail, undecided, error or skipped."""

    message: str
    test: str = ""
    confidence: float = 0.95
    target: str = ""
    left: dict[str, Any] | None = None
    right: dict[str, Any] | None = None
    difference: dict[str, Any] | None = None
    """value, low, high."""

    threshold: float | None = None
    p_value: float | None = None
    n: int | None = None
    tested: bool = True


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """One suite: its data, its contestants, its gates in suite order."""

    path: str
    name: str
    data: dict[str, Any]
    """train_rows, test_rows, labels, leaked_rows, warnings."""

    contestants: dict[str, ContestantReport]
    gates: list[GateReport]
    gates_total: int = 0
    """Gates in the file; more than len(gates) where -k, -m or --lf chose."""


@dataclass(frozen=True, slots=True)
class SessionReport:
    """The whole of report.json."""

    created: str
    machine: dict[str, Any]
    spend: Spend
    suites: list[SuiteReport]
    format: int = 1

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SessionReport:
        suites = [suite_from_json(suite) for suite in data["suites"]]
        return cls(data["created"], data["machine"], Spend(**data["spend"]), suites, data["format"])


def suite_from_json(data: dict[str, Any]) -> SuiteReport:
    """The inverse of `dataclasses.asdict` on a SuiteReport."""
    contestants = {
        name: ContestantReport(
            **{**row, "metrics": {key: MetricReport(**value) for key, value in row["metrics"].items()}}
        )
        for name, row in data["contestants"].items()
    }
    gates = [GateReport(**gate) for gate in data["gates"]]
    return SuiteReport(**{**data, "contestants": contestants, "gates": gates})
