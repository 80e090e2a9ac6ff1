"""Texts of others on a terminal."""

from __future__ import annotations

KEPT = "\n\t"


def printable(text: str) -> str:
    """A text in which control characters are spelled out: what a model says must not steer a terminal."""
    return "".join(one if one in KEPT or one.isprintable() else ascii(one)[1:-1] for one in text)
