"""What a session found of one contestant, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One figure of the table. `low`/`high` are None for exact or untested figures."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    about: bool = False
    """A time, or a cost that follows from one, that was measured for a moment, as no gate asks for it."""


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
    device: dict[str, Any] | None = None
    """What the first seed was computed on: kind, precision and why (reason), threads and why so many (threads_because),
    how idle ones wait (threads_wait); None: nothing was computed here."""

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
    """Kind of non-answer → rows."""

    read_as: dict[str, int] = field(default_factory=dict)
    """Of answers in words: how the label was read (`as asked`, `undressed`, `in JSON`, `after a prefix`, `first line`,
    `in a sentence`) → rows."""

    failure_examples: dict[str, list[FailureExample]] = field(default_factory=dict)
    """Of an LLM: up to three of each kind."""

    notes: list[str] = field(default_factory=list)
    decisive_notes: list[str] = field(default_factory=list)
    """Those of the notes that bear on a verdict or a cost: what the terminal shows without `-v`."""

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
