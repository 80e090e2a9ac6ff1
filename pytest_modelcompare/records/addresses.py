"""Addresses as they may be printed and stored."""

from __future__ import annotations

import re

USER = re.compile(r"(?<=://)[^/\s]*@")
"""A password may hold an `@` itself: the last one ends it."""


def without_user(text: str) -> str:
    """A text in which no address carries a user or a password."""
    return USER.sub("", text)
