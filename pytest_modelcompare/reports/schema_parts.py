"""What stands inside a report's plain JSON fields, for its schema."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_modelcompare.metrics.calibration import ReliabilityBin


@dataclass(frozen=True, slots=True)
class Bounds:
    """The tested quantity with its two one-sided bounds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judged:
    """How often something was judged on these test rows."""

    times: int
    """Sessions, this one included."""

    models: int
    """Distinct models among them."""

    since: str
    """ISO 8601, UTC."""

    p_times_models: float | None = None
    """Of a gate: what is left of `p_pass` if the best of these models was kept; at most 1."""


@dataclass(frozen=True, slots=True)
class FlippedRow:
    """A test row that one side alone got right."""

    id: str
    text: str
    """At most 300 characters."""

    label: str
    """The true one."""

    left: str | None
    """What the left side answered; null for no answer."""

    right: str | None
    alone: str
    """The side that is right: left or right."""

    confidence: float | None
    """The highest score of the side in the wrong; where it gives none, of the other."""

    confidence_of: str
    """left or right."""


@dataclass(frozen=True, slots=True)
class Flipped:
    """Rows that one side alone got right; those first on which the side in the wrong was most confident."""

    left: str
    """The contestant."""

    right: str
    left_alone: int
    """All of them; listed are at most 200 of each kind."""

    right_alone: int
    rows: list[FlippedRow]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the rows on which the verdict would be another."""

    where: str
    outcome: str
    value: float
    p_value: float
    """Adjusted for all parts looked at."""

    n: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Calibration of the top label, of several seeds the first's."""

    n: int
    ece: float
    """Expected calibration error, 15 bins of equal mass."""

    ece_if_calibrated: float
    """What a perfectly calibrated model with these scores would show."""

    debiased_squared: float
    overconfidence: float
    """Mean confidence less accuracy."""

    scores_from: str | None
    bins: list[ReliabilityBin]


@dataclass(frozen=True, slots=True)
class ByLabel:
    """One class."""

    f1: float
    precision: float
    recall: float
    n: int
    """Its test rows."""


@dataclass(frozen=True, slots=True)
class Data:
    """The rows."""

    train_rows: int
    test_rows: int
    labels: list[str]
    leaked_rows: int
    """Test rows whose text also stands in train."""

    warnings: list[str]
    validation_rows: int = 0
    digest: str = ""
    """sha256 over labels, texts and label numbers of all splits."""

    test_digest: str = ""
    """The same over the test rows: equal where two reports judged the same ones."""

    confidence: float = 0.95
    """Of each one-sided bound in the table of contestants."""

    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What a session found of a gate."""

    created: str
    commit: str | None
    branch: str | None
    outcome: str
    value: float | None
    low: float | None
    high: float | None
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the session ran."""

    name: str
    cores: int | None
    python: str
    system: str


ALL = (Bounds, Judged, FlippedRow, Flipped, Part, Reliability, ByLabel, Data, Session, Machine)
