"""How far a job is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, for the bars."""

    done: int
    total: int
    note: str = ""
    """E.g. "epoch 2 of 3, loss 0.41"."""

    milestone: bool = False
    """Worth a line of its own in a log, e.g. the end of an epoch."""


def silent(_: Progress) -> None:
    """The progress callback of work that nobody watches."""


Watch = Callable[[Progress], None]
"""Whoever looks on."""
