"""What became of a gate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_modelcompare.records.accepted import Against
    from pytest_modelcompare.records.estimate import Inference


class Outcomes(StrEnum):
    """How a gate ends."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNDECIDED = "undecided"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Figure:
    """One side of a gate, for the report."""

    text: str
    """As the gate says it, e.g. "minilm.accuracy"."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """A gate's outcome with the numbers it was read off."""

    gate: str
    outcome: Outcomes
    message: str
    """The numbers and the margin in words, one line, as the summary prints it."""

    confidence: float = 0.95
    test: str = ""
    """The procedure, e.g. "Tango score"."""

    target: str = ""
    """What the claim is about: "this trained model", "the recipe's mean over 5 seeds"."""

    left: Figure | None = None
    right: Figure | None = None
    difference: Inference | None = None
    """The tested quantity against its threshold."""

    threshold: float | None = None
    p_pass: float | None = None
    """p-value against the claim being false: at or below 1 - confidence it passes. None where nothing is tested."""

    p_fail: float | None = None
    """p-value against the claim being true."""

    n_effective: float | None = None
    """Rows that the figure is worth: fewer than it rests on where rows of one group resemble each other."""

    looks: int | None = None
    """Looks taken by a gate that stops when it is decided; None: judged once, on all rows."""

    unpaired: bool = False
    tested: bool = True
    """False under `decide: point` and for exact figures."""

    against: Against | None = None
    """Of `does not regress`: the accepted record it was compared with."""

    members: tuple[Verdict, ...] = ()
    """The members of an `any_of`."""

    def __repr__(self) -> str:
        """One line: the sentence, the outcome, the numbers."""
        return f"{self.gate}  {self.outcome.upper()}  {self.message}"

    def __bool__(self) -> bool:
        if self.outcome in (Outcomes.UNDECIDED, Outcomes.ERROR, Outcomes.SKIPPED):
            raise AssertionError(repr(self))
        return self.outcome is Outcomes.PASS
