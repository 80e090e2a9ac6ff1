"""What a service replied, and what label is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pytest_modelcompare.llm.wording import ANSWER_KEY
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records import NO_ANSWER

FAILED_STOPS = {
    "refusal": "refused",
    "content_filter": "stopped by the content filter",
    "max_tokens": "cut short",
    "model_context_window_exceeded": "too long for the model",
}
"""Stop reasons that leave no answer, as the report calls them."""


CODE_BLOCK = re.compile(r"```\w*\n(.*)\n\s*```", re.DOTALL)


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


def label_in(reply: Reply, numbers: Mapping[str, int]) -> tuple[int, str | None]:
    """The label's number, or NO_ANSWER with the kind of failure."""
    if reply.stop_reason in FAILED_STOPS:
        return NO_ANSWER, FAILED_STOPS[reply.stop_reason]
    text = unfenced(reply.text)
    answer: object = text
    if text.startswith("{"):
        try:
            answer = json.loads(text).get(ANSWER_KEY)
        except (ValueError, RecursionError):  # the latter of thousands of brackets
            return NO_ANSWER, "not readable"
    if not isinstance(answer, str) or not answer:
        return NO_ANSWER, "not readable"
    found = number_of(answer, numbers)
    return found, None if found != NO_ANSWER else "outside the labels"


def unfenced(text: str) -> str:
    """What stands in a block of code, where the whole answer is one; so some models write JSON unasked."""
    found = CODE_BLOCK.fullmatch(text.strip())
    return found[1].strip() if found else text.strip()


def number_of(answer: str, numbers: Mapping[str, int]) -> int:
    """The label as it is, else without quotes and full stop, else whatever its case where that is clear."""
    bare = answer.strip("\"'`. \n")
    for said in (answer, bare):
        if said in numbers:
            return numbers[said]
    alike = [number for label, number in numbers.items() if label.strip().casefold() == bare.casefold()]
    return alike[0] if len(alike) == 1 else NO_ANSWER
