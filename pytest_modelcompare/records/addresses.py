"""Addresses as they may be printed and stored."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

USER = re.compile(r"(?<=://)[^/\s]*@")
"""A password may hold an `@` itself: the last one ends it."""


def is_web_address(text: str) -> bool:
    """Whether a text is http or https with a host, and a port that exists."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is too large
        return False


def host_and_path(address: str) -> str:
    """An address without user, password, query and fragment."""
    parts = urlsplit(without_user(address))
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def without_user(text: str) -> str:
    """A text in which no address carries a user or a password."""
    return USER.sub("", text)
