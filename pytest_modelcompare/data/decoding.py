"""From bytes to text."""

from __future__ import annotations

import codecs

from pytest_modelcompare.errors import DataError

MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""What such files begin with; the longer marks first, as one begins with another."""

MARK = "\ufeff"
LOOKED_AT = 1000
"""Bytes in which text without a mark shows that it is UTF-16."""

BEFORE, AFTER = 12, 8
"""Bytes shown around one that cannot be read."""


def decoded(content: bytes, where: str, encoding: str | None = None) -> str:
    """The text of a file: UTF-8, UTF-16 or UTF-32 with its mark, or as the suite says.

    Raises:
        DataError: it is none of these; says where, and what else it may be.
    """
    marked = next((name for mark, name in MARKS if content.startswith(mark)), None)
    chosen = encoding or marked or "utf-8"
    if chosen == "utf-8" and b"\0" in content[:LOOKED_AT]:
        order = "be" if content.startswith(b"\0") else "le"
        fix = f"if it is UTF-16 without a mark, say `encoding: utf-16-{order}`"
        raise DataError("its text is full of null characters", where=where, fix=fix)
    try:
        text = content.decode(chosen)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = f"byte 0x{content[error.start]:02x} at position {error.start:,} (line {line:,})"
        fix = other_encoding(content, error, encoding, marked)
        raise DataError(f"{byte} is no {chosen.upper()}", where=where, fix=fix) from error
    return text.removeprefix(MARK)


def other_encoding(content: bytes, error: UnicodeDecodeError, said: str | None, marked: str | None) -> str:
    """What to say where a byte does not fit: how the words around it read in the most common other encoding."""
    if said is None and marked is not None:
        return f"it begins as {marked.upper()}: fetch it again, its end may be missing"
    if said is not None and is_utf8(content):
        return "it reads as UTF-8: leave `encoding:` out"
    if said is not None and codecs.lookup(said).name == "cp1252":
        return "say another `encoding:`; `latin1` reads every byte, whether rightly or not"
    around = content[max(0, error.start - BEFORE) : error.start + AFTER].decode("cp1252", "replace")
    near = " ".join(around.splitlines()[around[:BEFORE].count("\n") :][:1]).strip()
    return f"say its `encoding:`; with `encoding: cp1252` this place reads `{near}`"


def is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
