"""What a service replied, and what label is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pytest_modelcompare.data.label_reading import CUT, Reading, read_label
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records import NO_ANSWER

FAILED_STOPS = {
    "refusal": "refused",
    "content_filter": "stopped by the content filter",
    "max_tokens": CUT,
    "model_context_window_exceeded": "too long for the model",
}
"""Stop reasons that leave no answer, as the report calls them."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it is stored. It never holds a key or a header."""

    text: str
    stop_reason: str
    usage: Usage
    latency_ms: float
    """Of the request that succeeded; the waits of its retries are not in it."""

    created: str
    """ISO 8601, UTC."""

    session: str
    retries: int = 0

    def as_record(self, **facts: Any) -> dict[str, Any]:
        return {**asdict(self), **facts}

    @property
    def date(self) -> datetime:
        return datetime.fromisoformat(self.created)


def reply_from(record: Mapping[str, Any]) -> Reply:
    """The inverse of `as_record`."""
    return Reply(
        record["text"],
        record["stop_reason"],
        Usage(**record["usage"]),
        record["latency_ms"],
        record["created"],
        record["session"],
        record.get("retries", 0),
    )


def read_reply(reply: Reply, numbers: Mapping[str, int]) -> Reading:
    """The label that a reply names, or why there is none."""
    if reply.stop_reason in FAILED_STOPS:
        return Reading(NO_ANSWER, failure=FAILED_STOPS[reply.stop_reason])
    return read_label(reply.text, numbers)
