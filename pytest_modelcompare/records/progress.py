"""How work tells whoever looks on how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol


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


class Watcher(Protocol):
    """Shows jobs while they run."""

    def job(self, title: str) -> AbstractContextManager[Watch]:
        """Announce a job; the returned context gives the callback for its progress."""


class Unwatched:
    """Shows nothing."""

    @contextmanager
    def job(self, title: str) -> Iterator[Watch]:  # noqa: ARG002
        yield silent
