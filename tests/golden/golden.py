"""What must stay as it is, byte by byte, while the house is rebuilt.

A change that is meant is written with `GOLDEN=write pytest tests/golden`, and looked at in the diff.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

EXPECTED = Path(__file__).parent / "expected"
WRITING = os.environ.get("GOLDEN") == "write"

DIGITS = 6
"""Significant digits of figures that are compared: sums round otherwise on other CPUs."""

PLACES = (
    (re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(\+00:00|Z)?"), "TIME"),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "DATE"),
    (re.compile(r"\bin \d+\.\d+s\b"), "in SECONDS"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
)
"""What differs from session to session."""


def holds(name: str, found: str) -> bool:
    """Whether a text is as it was; where it is to be written, it is from now on."""
    path = EXPECTED / name
    if WRITING:
        path.write_text(found, encoding="utf-8")
    return path.read_text(encoding="utf-8") == found


def without_times(text: str, *folders: Path) -> str:
    """A text with times, dates and digests blotted out, and folders of this run."""
    for folder in folders:
        text = text.replace(str(folder), "FOLDER")
    for what, word in PLACES:
        text = what.sub(word, text)
    return text


def rounded(value: Any, left_out: frozenset[str] = frozenset()) -> Any:
    """JSON with figures rounded, and without the keys that are left out."""
    if isinstance(value, dict):
        return {key: rounded(item, left_out) for key, item in value.items() if key not in left_out}
    if isinstance(value, list):
        return [rounded(item, left_out) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def as_text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
