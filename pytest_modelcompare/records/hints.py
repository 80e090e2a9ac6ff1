"""What a message says beside the fact: the nearest of some words, the first few of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint at the nearest of some words; None where none is near."""
    near = get_close_matches(word, list(known), 1)
    return f"did you mean `{near[0]}`?" if near else None


def first_few(words: Sequence[object], most: int) -> str:
    """Some words, with a sign where there are more."""
    return ", ".join(map(str, words[:most])) + (", …" if len(words) > most else "")
