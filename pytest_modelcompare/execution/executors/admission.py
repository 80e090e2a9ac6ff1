"""How many trainings a GPU takes at once: as many as its memory holds, by what the first ones took."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

from pytest_modelcompare.execution.executors.orders import Tidings

SETTLED = 30
"""After so many steps a training has met rows about as long as it will, and its peak is known."""

MARGIN = 1.25
"""It may still grow by so much."""

UNKNOWN = 2.0
"""A model that has not been trained here yet is taken to need so many times what the largest needed."""


class Admission(Protocol):
    """Decides whether one more training may begin; called from several threads."""

    def admits(self, kind: str) -> bool:
        """Whether a training of this kind may begin beside those that run."""

    def begin(self, job: str, kind: str) -> None: ...

    def heard(self, job: str, tidings: Tidings) -> None: ...

    def end(self, job: str) -> None: ...


@dataclass
class Running:
    """A training under way."""

    kind: str
    began_at: int | None = None
    """The step before the first that was heard of: a resumed training has taken steps whose memory was another's."""

    peak_mb: float = 0.0
    settled: bool = False


@dataclass
class ByMemory:
    """One training, and after it has shown what it needs as many more as fit, one after the other."""

    most: int
    """At once, whatever the memory: each keeps a core busy."""

    free_mb: float = 0.0
    peaks_mb: dict[str, float] = field(default_factory=dict)
    """By kind, the most that a training of it took."""

    running: dict[str, Running] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def admits(self, kind: str) -> bool:
        with self._lock:
            if not self.running:
                return True
            if len(self.running) >= self.most or not all(one.settled for one in self.running.values()):
                return False
            needed = self.peaks_mb.get(kind, UNKNOWN * max(self.peaks_mb.values()))
            growth = (MARGIN - 1) * sum(one.peak_mb for one in self.running.values())
            return self.free_mb >= MARGIN * needed + growth

    def begin(self, job: str, kind: str) -> None:
        with self._lock:
            self.running[job] = Running(kind)

    def heard(self, job: str, tidings: Tidings) -> None:
        usage, progress = tidings.usage, tidings.progress
        if usage is None:
            return
        with self._lock:
            one = self.running[job]
            one.peak_mb = max(one.peak_mb, usage.peak_mb)
            one.began_at = progress.done - 1 if one.began_at is None else one.began_at
            one.settled = one.settled or progress.done >= min(one.began_at + SETTLED, progress.total)
            self.peaks_mb[one.kind] = max(self.peaks_mb.get(one.kind, 0.0), usage.peak_mb)
            self.free_mb = usage.free_mb

    def end(self, job: str) -> None:
        with self._lock:
            del self.running[job]
