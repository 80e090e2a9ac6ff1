"""What a session found, as plain data: the one source of the summary and of every report.

Each record holds only JSON types, so it also travels from an xdist worker to the controller.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_modelcompare.records.contestant_report import ContestantReport as ContestantReport
from pytest_modelcompare.records.contestant_report import FailureExample as FailureExample
from pytest_modelcompare.records.contestant_report import MetricReport as MetricReport


@dataclass(slots=True)
class Spend:
    """What this session used."""

    usd: float = 0.0
    calls: int = 0
    stored_answers: int = 0
    trainings: int = 0
    stored_runs: int = 0
    perhaps_billed: int = 0
    """Requests that were sent and whose answer was not heard: cut off, timed out, or without a count of tokens."""

    perhaps_billed_usd: float = 0.0
    """What these cost at most; not in `usd`, and no longer there to be spent."""


@dataclass(frozen=True, slots=True)
class OwnMetricReport:
    """A metric that the project added: what a report must know of it where its conftest is not at hand."""

    definition: str
    unit: str
    """Empty for a share."""

    higher_is_better: bool


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
    """Of the claim: `p_pass`."""

    n: int | None = None
    tested: bool = True
    level: float = 0.05
    """Of each one-sided test: 1 - confidence."""

    method: str = ""
    """The procedure; as `test`."""

    p_pass: float | None = None
    """p-value against the claim being false."""

    p_fail: float | None = None
    """p-value against the claim being true."""

    p_holm: float | None = None
    """`p_pass` adjusted for all tested gates of the suite in this session; for information, no verdict rests on it."""

    looks: int | None = None
    """Looks taken by a gate that stops when it is decided; None: judged once, on all rows."""

    n_effective: float | None = None
    """Rows that the figure is worth after groups."""

    unpaired: bool = False
    against: dict[str, Any] | None = None
    """Of `does not regress`: date, value, first_date, first_value, same_rows, drift, drift_low, drift_high."""

    judged: dict[str, Any] | None = None
    """times, models, since, p_times_models: how often this gate was judged on these test rows."""

    flipped: dict[str, Any] | None = None
    """left, right, left_alone, right_alone, rows: what one side alone got right, most confident first."""

    parts: list[dict[str, Any]] = field(default_factory=list)
    """where, outcome, value, p_value (Holm), n: parts of the rows on which the verdict would be another."""


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """One suite: its data, its contestants, its gates in suite order."""

    path: str
    name: str
    data: dict[str, Any]
    """train_rows, test_rows, labels, leaked_rows, warnings, digest, test_digest, confidence, judged."""

    contestants: dict[str, ContestantReport]
    gates: list[GateReport]
    gates_total: int = 0
    """Gates in the file; more than len(gates) where -k, -m or --lf chose."""

    references: dict[str, ContestantReport] = field(default_factory=dict)
    """Free reference lines of the table: a constant answer, TF-IDF."""

    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Gate → what sessions found, oldest first, this one last, at most 30: created, commit, branch, outcome, value,
    low, high, threshold."""

    own_metrics: dict[str, OwnMetricReport] = field(default_factory=dict)
    """Those among the contestants' metrics that the project added, by name."""


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
    gates = [GateReport(**gate) for gate in data["gates"]]
    tables = {name: rows_from_json(data.get(name, {})) for name in ("contestants", "references")}
    own = {name: OwnMetricReport(**facts) for name, facts in data.get("own_metrics", {}).items()}
    return SuiteReport(**{**data, **tables, "gates": gates, "own_metrics": own})


def rows_from_json(rows: dict[str, Any]) -> dict[str, ContestantReport]:
    return {name: row_from_json(row) for name, row in rows.items()}


def row_from_json(row: dict[str, Any]) -> ContestantReport:
    metrics = {key: MetricReport(**value) for key, value in row["metrics"].items()}
    examples = {
        kind: [FailureExample(**example) for example in found]
        for kind, found in row.get("failure_examples", {}).items()
    }
    return ContestantReport(**{**row, "metrics": metrics, "failure_examples": examples})
