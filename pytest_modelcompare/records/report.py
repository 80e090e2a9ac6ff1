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
class FailureExample:
    """A row that an LLM gave no usable answer for."""

    id: str
    text: str
    answer: str
    """What the model said; both texts cut short."""


@dataclass(frozen=True, slots=True)
class ContestantReport:
    """One row of the table."""

    method: str
    model: str | None
    stored: bool
    """True: nothing was trained or asked for it in this session."""

    machine: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    """Of its method, defaults included; addresses without user, password and query."""

    metrics: dict[str, MetricReport] = field(default_factory=dict)
    """By metric name as in the catalogue."""

    train_rows: int | None = None
    """What it learned from; None: nothing is trained."""

    member_of: str | None = None
    """Of a sweep's member: the plain name."""

    selected: str | None = None
    """Of a sweep's plain name: the member that it stands for."""

    validation: dict[str, float] | None = None
    """Of a sweep: `accuracy` and `log_loss` on the validation rows, means over the seeds, that it was chosen by."""

    seeds: list[int] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    """Fingerprints."""

    answers: str | None = None
    """Of a contestant without runs: the key under which the store keeps what it answered."""

    cost_assumptions: str | None = None
    timing_machine: str | None = None
    timing_date: str | None = None
    recorded: str | None = None
    """When the answers were recorded, for LLM answers: ISO date or date range."""

    failures: dict[str, int] = field(default_factory=dict)
    failure_examples: dict[str, list[FailureExample]] = field(default_factory=dict)
    """Of an LLM: up to three of each kind."""

    notes: list[str] = field(default_factory=list)
    calibration: dict[str, Any] | None = None
    """Where scores exist: bins (n, confidence, accuracy, low, high), ece, ece_if_calibrated, debiased_squared,
    overconfidence, scores_from; of several seeds the first."""

    deferral: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Other contestant → n, threshold, deferred_share, cascade_accuracy, small_accuracy, other_accuracy: the
    confidence below which a cascade would ask it. Chosen on the test rows, so optimistic."""

    per_label: dict[str, dict[str, float]] = field(default_factory=dict)
    """Label → f1, precision, recall (means over the seeds) and n, its test rows; of very many labels the 500 most
    frequent."""

    confusion: list[list[int]] = field(default_factory=list)
    """[true label, answered label, rows], the most frequent first, summed over the seeds; labels by their position
    in the suite's `labels`, -1 for no answer. At most 3,000 pairs."""

    latency_ms: list[float] = field(default_factory=list)
    """Time per prediction, sorted; of more than 400 measured the quantiles at 400 even steps, both ends included."""


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
    return SuiteReport(**{**data, **tables, "gates": gates})


def rows_from_json(rows: dict[str, Any]) -> dict[str, ContestantReport]:
    return {name: row_from_json(row) for name, row in rows.items()}


def row_from_json(row: dict[str, Any]) -> ContestantReport:
    metrics = {key: MetricReport(**value) for key, value in row["metrics"].items()}
    examples = {
        kind: [FailureExample(**example) for example in found]
        for kind, found in row.get("failure_examples", {}).items()
    }
    return ContestantReport(**{**row, "metrics": metrics, "failure_examples": examples})
