"""Batches of LLM requests that are under way, remembered from the moment before they are sent."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.lines import append_line, lines_of, moment

BATCHES = "batches.jsonl"
KEY_START = 16
"""Hex digits by which a request is remembered."""


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch that was not collected yet, or that was about to be sent when its process ended."""

    batch: str
    """The service's id; empty where none was heard of."""

    service: str
    keys: tuple[str, ...]
    """The first digits of its requests' keys."""

    at: datetime | None
    """When it was sent; None where an older version did not note it."""


@dataclass(frozen=True, slots=True)
class BatchLog:
    """One flushed line for each batch before it is sent, when the service has named it, and when it was collected.

    Safe under several processes; a `kill -9` loses at most the line being written.
    """

    folders: StoreFolders

    @property
    def path(self) -> Path:
        return self.folders.answers / BATCHES

    def open(self, service: str) -> Mapping[str, Collection[str]]:
        """Batches of a service that were not collected: id → the first digits of their requests' keys."""
        return {one.batch: one.keys for one in self.under_way() if one.service == service and one.batch}

    def unheard(self, service: str) -> Sequence[SentBatch]:
        """Batches that were about to be sent, and whose id nobody heard: the service may have them."""
        return [one for one in self.under_way() if one.service == service and not one.batch]

    def under_way(self) -> list[SentBatch]:
        """Every batch that was not collected, of whatever service, in the order they were sent."""
        found: dict[tuple[str, str, tuple[str, ...]], SentBatch] = {}
        for event in self._events():
            service, batch, keys = event["service"], event.get("batch", ""), tuple(event.get("keys", ()))
            if "keys" not in event:  # collected
                found = {place: one for place, one in found.items() if (one.service, one.batch) != (service, batch)}
                continue
            found.pop((service, "", keys), None)
            if "unsent" not in event:
                found[service, batch, keys] = SentBatch(batch, service, keys, moment(event.get("at")))
        return list(found.values())

    def known(self) -> Collection[str]:
        """The ids of all batches that were ever opened, of whatever service."""
        return {event["batch"] for event in self._events() if "batch" in event}

    def sending(self, service: str, keys: Sequence[str]) -> None:
        """A batch is about to be sent: whatever happens now, the next session can look for it."""
        self._append({"service": service, "keys": starts(keys), "at": datetime.now(UTC).isoformat()})

    def unsent(self, service: str, keys: Sequence[str]) -> None:
        """The service does not have it."""
        self._append({"service": service, "keys": starts(keys), "unsent": True})

    def opened(self, service: str, batch: str, keys: Sequence[str]) -> None:
        """A batch exists. It is on its way to the disk when this returns."""
        at = datetime.now(UTC).isoformat()
        self._append({"batch": batch, "service": service, "keys": starts(keys), "at": at})

    def closed(self, service: str, batch: str) -> None:
        """A batch's answers are stored, or somebody gave it up."""
        self._append({"batch": batch, "service": service})

    def _events(self) -> Iterator[dict[str, Any]]:
        return (event for event in lines_of(self.path) if is_event(event))

    def _append(self, event: dict[str, object]) -> None:
        with store_errors(self.path):
            append_line(self.path, json.dumps(event).encode() + b"\n")


def is_event(event: dict[str, Any]) -> bool:
    """Whether a line is one of ours; what is not counts for nothing, as a torn one."""
    keys = event.get("keys", [])
    texts = isinstance(event.get("service"), str) and isinstance(event.get("batch", ""), str)
    return texts and isinstance(keys, list) and all(isinstance(key, str) for key in keys)


def starts(keys: Sequence[str]) -> list[str]:
    return [key[:KEY_START] for key in keys]
