"""What every service behind HTTP says when it refuses, and of its limits."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.prompts import Request

LONGEST_WORDS = 300


def shown_words(said: str, secret: str) -> str:
    """A service's words, cut short, without the key that it may echo."""
    safe = said.replace(secret, "…") if secret else said
    return safe[:LONGEST_WORDS]


def permanent(status: int, said: str, request: Request) -> LLMError:
    """A refusal that no retry would change."""
    return LLMError(
        f"{request.provider} refuses for good ({status}): {said}",
        where=f"model {request.model}",
        fix="check the key, the model's name and the account; answers so far are stored",
    )


def limit_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """What a response says of rate limits, names in lower case."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in lower.items() if "ratelimit" in name or name.startswith("retry-after")}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after`, which is a number or a date; None without."""
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / divisor
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    date = parsedate_tz(headers.get("retry-after", ""))
    return None if date is None else max(0.0, mktime_tz(date) - time.time())
