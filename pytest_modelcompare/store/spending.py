"""What the processes of one session spend on LLMs: a budget is the session's, not each worker's."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.lines import append_line, lines_of

SPENDING = "spending.jsonl"


@dataclass(frozen=True, slots=True)
class SpendingLog:
    """One flushed line for each sum; safe under several processes."""

    folders: StoreFolders
    session: str

    @property
    def path(self) -> Path:
        return self.folders.answers / SPENDING

    def add(self, suite: str, usd: float) -> None:
        """A sum that this process spent, or that may have been billed to it."""
        if usd <= 0:
            return
        event = {"session": self.session, "suite": suite, "process": os.getpid(), "usd": usd}
        with store_errors(self.path):
            append_line(self.path, json.dumps(event).encode() + b"\n")

    def of_others(self, suite: str | None = None) -> float:
        """USD that the session's other processes spent, on one suite or on all."""
        of_session = (event for event in lines_of(self.path) if event["session"] == self.session)
        others = (event for event in of_session if event["process"] != os.getpid())
        return sum((float(event["usd"]) for event in others if suite in (None, event["suite"])), 0.0)
