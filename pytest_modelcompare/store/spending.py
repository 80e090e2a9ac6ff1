"""What the processes of one session spend on LLMs: a budget is the session's, not each worker's."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

    def add(self, suite: str, usd: float, calls: int = 0) -> None:
        """A sum that this process spent, or that may have been billed to it, and the calls it was for."""
        if usd <= 0 and calls == 0:
            return
        event = {"session": self.session, "suite": suite, "process": os.getpid(), "usd": usd, "calls": calls}
        with store_errors(self.path):
            append_line(self.path, json.dumps(event).encode() + b"\n")

    def of_others(self, suite: str | None = None) -> float:
        """USD that the session's other processes spent, on one suite or on all."""
        others = (event for event in self.events() if event["process"] != os.getpid())
        return sum((float(event["usd"]) for event in others if suite in (None, event["suite"])), 0.0)

    def of_lost(self, heard_of: Collection[int]) -> tuple[float, int]:
        """USD and calls of processes that nothing was heard of in the end: they were killed.

        Args:
            heard_of: the process ids of the others.
        """
        lost = [event for event in self.events() if event["process"] not in heard_of]
        return sum(float(event["usd"]) for event in lost), sum(int(event.get("calls", 0)) for event in lost)

    def events(self) -> Iterator[dict[str, Any]]:
        """What this session's processes noted."""
        return (event for event in lines_of(self.path) if event["session"] == self.session)
