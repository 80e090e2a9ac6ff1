"""The money of a session: what may be spent, what was."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from pytest_modelcompare.records.report import Spend


@dataclass(slots=True)
class Ledger:
    """Adds up what every suite of this session uses. Safe under threads."""

    cap_usd: float | None = None
    """`--modelcompare-budget`; None: each suite's own budget."""

    spend: Spend = field(default_factory=Spend)
    held_usd: float = 0.0
    """The worst price of batches that are still under way."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the session is interrupted: LLMs are asked no more."""

    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def left_usd(self, suite_cap_usd: float, suite_spent_usd: float) -> float:
        """What a suite may still spend: the session's cap where one is given, else its own."""
        if self.cap_usd is not None:
            return self.cap_usd - self.spend.usd - self.spend.perhaps_billed_usd - self.held_usd
        return suite_cap_usd - suite_spent_usd

    def note_run(self, *, stored: bool) -> None:
        with self._lock:
            if stored:
                self.spend.stored_runs += 1
            else:
                self.spend.trainings += 1

    def note_unheard(self, worst_usd: float, requests: int) -> None:
        """Requests whose answer was not heard: they may have been billed."""
        with self._lock:
            self.spend.perhaps_billed_usd += worst_usd
            self.spend.perhaps_billed += requests

    def note_held(self, worst_usd: float) -> None:
        with self._lock:
            self.held_usd += worst_usd

    def note_answers(self, *, usd: float, calls: int, stored: int) -> None:
        with self._lock:
            self.spend.usd += usd
            self.spend.calls += calls
            self.spend.stored_answers += stored
