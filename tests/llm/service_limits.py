"""What a service on loopback allows per minute, and how it says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal


@dataclass
class RequestLimit:
    """Requests per minute, as a bucket that fills continuously or as windows that begin anew."""

    per_minute: int
    burst: int | None = None
    """What a full bucket holds; None: a minute's worth."""

    kind: Literal["bucket", "windows"] = "bucket"
    window_s: float = 60.0
    told: Literal["anthropic", "openai"] | None = "anthropic"
    """Which headers say so."""

    retry_after: bool = True
    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    admitted: list[float] = field(default_factory=list)
    _level: float = -1.0
    _at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def most(self) -> int:
        return self.per_minute if self.burst is None else self.burst

    def admit(self) -> tuple[bool, dict[str, str]]:
        """Whether one more request is let in, and what the response says of it."""
        with self._lock:
            now = self.clock()
            if self._level < 0:
                self._level, self._at = float(self.most), now
            self.fill(now)
            let_in = self._level >= 1
            if let_in:
                self._level -= 1
                self.admitted.append(now)
            else:
                self.refused += 1
            return let_in, self.headers(now, refused=not let_in)

    def fill(self, now: float) -> None:
        if self.kind == "bucket":
            self._level = min(self.most, self._level + (now - self._at) * self.per_minute / 60)
            self._at = now
        elif now - self._at >= self.window_s:
            self._level, self._at = float(self.most), now

    def again_s(self, now: float) -> float:
        """When the next request would be let in."""
        if self.kind == "windows":
            return self._at + self.window_s - now
        return (1 - self._level) * 60 / self.per_minute

    def headers(self, now: float, *, refused: bool) -> dict[str, str]:
        found = {"retry-after": f"{self.again_s(now):.3f}"} if refused and self.retry_after else {}
        full_s = (self.most - self._level) * 60 / self.per_minute
        if self.told == "anthropic":
            reset = datetime.now(UTC) + timedelta(seconds=full_s)
            found |= {
                "anthropic-ratelimit-requests-limit": str(self.per_minute),
                "anthropic-ratelimit-requests-remaining": str(int(self._level)),
                "anthropic-ratelimit-requests-reset": reset.isoformat(timespec="seconds").replace("+00:00", "Z"),
            }
        if self.told == "openai":
            found |= {
                "x-ratelimit-limit-requests": str(self.per_minute),
                "x-ratelimit-remaining-requests": str(int(self._level)),
                "x-ratelimit-reset-requests": f"{full_s * 1000:.0f}ms",
            }
        return found
