"""Batches of LLM requests that are under way, remembered from the moment the service has named them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.lines import append_line, lines_of

BATCHES = "batches.jsonl"
KEY_START = 16
"""Hex digits by which a request is remembered."""


@dataclass(frozen=True, slots=True)
class BatchLog:
    """One flushed line for each batch that was sent and for each that was collected.

    Safe under several processes; a `kill -9` loses at most the line being written.
    """

    folders: StoreFolders

    @property
    def path(self) -> Path:
        return self.folders.answers / BATCHES

    def open(self, service: str) -> Mapping[str, Collection[str]]:
        """Batches of a service that were not collected: id → the first digits of their requests' keys."""
        found: dict[str, Collection[str]] = {}
        for event in lines_of(self.path):
            if event.get("service") != service:
                continue
            if "keys" in event:
                found[event["batch"]] = event["keys"]
            else:
                found.pop(event["batch"], None)
        return found

    def known(self) -> Collection[str]:
        """The ids of all batches that were ever opened, of whatever service."""
        return {event["batch"] for event in lines_of(self.path)}

    def opened(self, service: str, batch: str, keys: Sequence[str]) -> None:
        """A batch exists. It is on its way to the disk when this returns."""
        self._append({"batch": batch, "service": service, "keys": [key[:KEY_START] for key in keys]})

    def closed(self, service: str, batch: str) -> None:
        """A batch's answers are stored."""
        self._append({"batch": batch, "service": service})

    def _append(self, event: dict[str, object]) -> None:
        with store_errors(self.path):
            append_line(self.path, json.dumps(event).encode() + b"\n")
