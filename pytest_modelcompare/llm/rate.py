"""What a service says of its limits, and a bucket that keeps to one of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

MINUTE_S = 60.0
DAY_S = 86_400.0
LONGEST_MINUTE_S = 600.0
"""A period inferred to be shorter than this is a minute, a longer one a day: services state no others."""

KINDS = {"requests": "requests", "tokens": "tokens", "input-tokens": "input", "output-tokens": "output"}
"""A header's word → what it limits. `tokens` are input and output together."""

DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
DURATION_S = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as a response states it."""

    kind: str
    """requests, input, output or tokens."""

    most: float
    """What may be used in one period."""

    left: float
    per_s: float
    """How fast what was used comes back."""


def limits_in(headers: Mapping[str, str]) -> list[Limit]:
    """The limits in a response's headers.

    Args:
        headers: names in lower case. `anthropic-ratelimit-KIND-limit` and `-remaining` are per minute and come back
            continuously; `x-ratelimit-limit-KIND`, `-remaining-` and `-reset-` are per minute or per day, and the
            time until all of it is back tells which.
    """
    found = []
    for word, kind in KINDS.items():
        most = number(headers, f"anthropic-ratelimit-{word}-limit")
        left = number(headers, f"anthropic-ratelimit-{word}-remaining")
        period = MINUTE_S
        if most is None or left is None:
            most = number(headers, f"x-ratelimit-limit-{word}")
            left = number(headers, f"x-ratelimit-remaining-{word}")
            if most is None or left is None:
                continue
            period = period_s(most, left, seconds_in(headers.get(f"x-ratelimit-reset-{word}", "")))
        if most > 0:
            found.append(Limit(kind, most, min(left, most), most / period))
    return found


def period_s(most: float, left: float, reset_s: float | None) -> float:
    """A minute or a day: what was used comes back within the reset."""
    if not reset_s or left >= most:
        return MINUTE_S
    return MINUTE_S if most * reset_s / (most - left) <= LONGEST_MINUTE_S else DAY_S


def seconds_in(text: str) -> float | None:
    """Seconds of a duration like `1h2m3.5s` or `12ms`, or of a bare number; None for anything else."""
    try:
        bare = float(text)
    except ValueError:
        matched = DURATION.fullmatch(text.strip())
        if matched is None or not text.strip():
            return None
        return sum(float(part) * unit for part, unit in zip(matched.groups(), DURATION_S, strict=True) if part)
    return bare if math.isfinite(bare) and bare >= 0 else None


def number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        found = float(headers.get(name, ""))
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


@dataclass(slots=True)
class Bucket:
    """Fills at a steady rate up to its size; what is sent is taken out of it."""

    per_s: float
    most: float
    level: float
    at_s: float
    """When the level was right."""

    def fill(self, now_s: float) -> None:
        self.level = min(self.most, self.level + self.per_s * max(0.0, now_s - self.at_s))
        self.at_s = now_s

    def wait_s(self, size: float, now_s: float) -> float:
        """How long until so much is in it; what is larger than the bucket waits for a full one."""
        self.fill(now_s)
        lacking = min(size, self.most) - self.level
        return max(0.0, lacking) / self.per_s
