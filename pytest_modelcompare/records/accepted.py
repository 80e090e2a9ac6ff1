"""What was accepted once, for `does not regress`: figures, and the answers they were read off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_modelcompare.records.evidence import Evidence


@dataclass(frozen=True, slots=True)
class AcceptedFigure:
    """One metric of one contestant on the day it was accepted."""

    date: str
    """ISO 8601, UTC."""

    value: float
    standard_error: float
    """Of `value`, seeds and groups included; 0 for exact figures."""

    n: int
    """Test rows; 0 for a size or a count."""

    test_rows: str
    """Digest of the test rows' ids, texts and labels: equal where rows pair."""

    models: tuple[str, ...] = ()
    """Fingerprints of the runs, one per seed."""

    answers: str = ""
    """Key of the answers in the record; empty for exact figures."""

    judged: int = 0
    """Sessions in which these rows had been judged."""

    judged_models: int = 0
    """Distinct models among these."""


@dataclass(frozen=True, slots=True)
class AcceptedEntry:
    """A figure's first and its latest baseline."""

    first: AcceptedFigure
    latest: AcceptedFigure
    times: int = 1
    """How often it was accepted."""


@dataclass(frozen=True, slots=True)
class AcceptedAnswers:
    """Answers of every seed, as far as metrics need them."""

    labels: NDArray[np.int64]
    """Shape (seeds, n). Index into `label_names`, or -1."""

    label_names: tuple[str, ...]
    surprise: NDArray[np.float16] | None = None
    """Shape (seeds, n, k). -ln(score), which 16 bits hold well near 0 and near 1; None where no metric needs scores."""


@dataclass(frozen=True, slots=True)
class AcceptedRecord:
    """A suite's `NAME.accepted.json`."""

    entries: Mapping[str, AcceptedEntry] = field(default_factory=dict)
    """By `contestant.metric`, `contestant.metric[label]`."""

    answers: Mapping[str, AcceptedAnswers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one `does not regress` gate is judged against."""

    entry: AcceptedEntry
    now: Evidence
    """The contestant as it is, its scores rounded as the record's are."""

    latest: Evidence | None
    """The accepted answers, where the test rows are the same."""

    first: Evidence | None
    identical: bool = False
    """Every answer (and score, where the metric needs them) is what was accepted."""


@dataclass(frozen=True, slots=True)
class Against:
    """What a regression gate was compared with, for the report."""

    date: str
    value: float
    first_date: str
    first_value: float
    same_rows: bool
    drift: float
    """Now less the first baseline, in the metric's unit."""

    drift_low: float | None = None
    drift_high: float | None = None
