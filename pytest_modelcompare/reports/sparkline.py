"""A gate's history in as many characters as it has sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BARS = "▁▂▃▄▅▆▇█"
UNKNOWN = "·"
"""A session without a figure: an error, or skipped."""

LONGEST = 16
"""Sessions that a sparkline shows beside a gate."""

FEWEST = 2
"""Sessions from which there is a history."""


def sparkline(values: Sequence[float | None]) -> str:
    """Bars between the least and the greatest value; all equal ones stand in the middle."""
    known = [value for value in values if value is not None]
    if not known:
        return UNKNOWN * len(values)
    low, high = min(known), max(known)
    if high == low:
        return "".join(UNKNOWN if value is None else BARS[3] for value in values)
    steps = len(BARS) - 1
    return "".join(UNKNOWN if value is None else BARS[round((value - low) / (high - low) * steps)] for value in values)


def history_bars(sessions: Sequence[Mapping[str, Any]]) -> str:
    """The tested figure of the latest sessions; empty without a history."""
    return sparkline([one["value"] for one in sessions[-LONGEST:]]) if len(sessions) >= FEWEST else ""


def history_lines(sessions: Sequence[Mapping[str, Any]], *, beside: bool) -> list[str]:
    """What stands below a gate: how often it did not pass, and the bars where they do not stand beside it."""
    missed = sum(one["outcome"] not in ("pass", "skipped") for one in sessions)
    if len(sessions) < FEWEST or (beside and not missed):
        return []
    bars = "" if beside else f"{history_bars(sessions)}  "
    said = f"passed in {len(sessions) - missed} of {len(sessions)} sessions since {sessions[0]['created'][:10]}"
    return [f"{bars}{said}"]
