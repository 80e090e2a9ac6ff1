"""What a session was asked for, whatever asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LLMMode = Literal["auto", "replay", "refresh", "off"]

DEFAULT_CAP_USD = 1.0
"""What a session may spend on LLMs when nobody said anything."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a session, from the command line and the ini file."""

    store: Path
    session: str
    """Identifies the session; equal in every xdist worker."""

    device: str = "auto"
    llm: LLMMode = "auto"
    budget_usd: float | None = None
    """Hard cap on LLM spending; None: the suite's budget, else DEFAULT_CAP_USD."""

    fresh: bool = False
    smoke: bool = False
    accept: bool = False
    """Write what `does not regress` gates find as their new baseline."""

    jobs_at_once: int | None = None
    """Trainings on one GPU at once, at most; None: as many as fit."""

    executor: str = "auto"
    """Where trainings run: the name of an executor that is installed, or `auto`."""
