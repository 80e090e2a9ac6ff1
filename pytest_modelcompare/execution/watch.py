"""How work tells whoever looks on how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from pytest_modelcompare.records.progress import Progress, silent


class Watcher(Protocol):
    """Shows jobs while they run."""

    def job(self, title: str) -> AbstractContextManager[Callable[[Progress], None]]:
        """Announce a job; the returned context gives the callback for its progress."""


class Unwatched:
    """Shows nothing."""

    @contextmanager
    def job(self, title: str) -> Iterator[Callable[[Progress], None]]:  # noqa: ARG002
        yield silent
