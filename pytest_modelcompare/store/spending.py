"""What the processes of one session spend on LLMs: a budget is the session's, not each worker's."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from pytest_modelcompare.store.answers import append_line
from pytest_modelcompare.store.folders import StoreFolders, store_errors

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
        with store_errors(self.path):
            lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        total = 0.0
        for line in lines:
            event = json.loads(line) if line.endswith(b"}") else {}  # a killed process left a torn line
            mine = event.get("process") == os.getpid() or event.get("session") != self.session
            if not mine and suite in (None, event["suite"]):
                total += event["usd"]
        return total
