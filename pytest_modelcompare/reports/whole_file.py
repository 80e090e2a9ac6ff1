"""Reports are put in place whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write_whole(text: str, path: Path) -> None:
    """Write a file through an unfinished one beside it.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
