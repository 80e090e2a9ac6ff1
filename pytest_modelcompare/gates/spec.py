"""A gate as the suite holds it: its claim, and how it wants to be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_modelcompare.gates.claims import Claim

Undecided = Literal["fail", "pass", "warn"]
Decide = Literal["interval", "point", "next_training"]


@dataclass(frozen=True, slots=True)
class GateSpec:
    """One entry of `gates:`."""

    text: str
    """The sentence as written; of an `any_of` its members' joined by "or"."""

    claims: tuple[Claim, ...]
    """One claim; the members of an `any_of`."""

    any_of: bool = False
    name: str | None = None
    line: int = 1
    marks: tuple[str, ...] = ()
    undecided: Undecided | None = None
    """None: as the suite says."""

    decide: Decide = "interval"
    confidence: float | None = None
    """None: as the suite says."""

    expect: float | None = None
    """The true value that rows needed are worked out for."""

    slice: tuple[tuple[str, str], ...] = ()
    """Column and value of each condition; empty: all test rows."""

    @property
    def id(self) -> str:
        """Its name in pytest: readable, and free of what pytest splits node ids at."""
        return self.name or " ".join(self.text.split()).replace("::", ":")
