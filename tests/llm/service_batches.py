"""Message batches of a service on loopback."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass
class Batch:
    """Requests that are answered at the end, in an order of the service's own."""

    id: str
    requests: list[dict[str, Any]]
    looks_left: int
    """How often it is looked at before it has ended."""

    results: list[dict[str, Any]] | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    gone: bool = False

    def described(self, url: str) -> dict[str, Any]:
        """As a MessageBatch."""
        counts = dict.fromkeys(("canceled", "errored", "expired", "processing", "succeeded"), 0)
        if self.results is None:
            counts["processing"] = len(self.requests)
        else:
            for line in self.results:
                counts[line["result"]["type"]] += 1
        ended = self.results is not None
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts,
            "created_at": self.created.isoformat(),
            "ended_at": datetime.now(UTC).isoformat() if ended else None,
            "expires_at": (self.created + timedelta(hours=24)).isoformat(),
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{url}/v1/messages/batches/{self.id}/results" if ended and not self.gone else None,
        }

    def lines(self) -> bytes:
        """The results, shuffled."""
        lines = list(self.results or [])
        random.Random(3).shuffle(lines)
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
