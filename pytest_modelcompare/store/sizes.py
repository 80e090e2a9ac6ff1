"""How large a store is, by what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_modelcompare.store.history import JOURNAL as HISTORY
from pytest_modelcompare.store.judgements import JOURNAL as JUDGEMENTS

KINDS: Mapping[str, tuple[str, ...]] = {
    "runs": ("runs",),
    "answers": ("answers", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm"),
    "timings": ("timings",),
    "downloads": ("downloads",),
    "history": (HISTORY, JUDGEMENTS, "answered", "reports"),
    "caches": ("tokens", "checkpoints", "scratch", "locks", "damaged"),
}
"""What a store holds → its files and folders."""


@dataclass(frozen=True, slots=True)
class Size:
    """What one kind of thing takes."""

    kind: str
    entries: int
    """Runs by folder, everything else by file."""

    size: int
    """Bytes."""


def sizes(root: Path) -> list[Size]:
    """Every kind that there is, the largest first."""
    found = []
    for kind, names in KINDS.items():
        files = [file for name in names for file in files_of(root / name)]
        entries = len(list((root / "runs").glob("*/*/run.json"))) if kind == "runs" else len(files)
        if files:
            found.append(Size(kind, entries, sum(size_of(file) for file in files)))
    return sorted(found, key=lambda one: -one.size)


def files_of(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.is_file()]


def size_of(path: Path) -> int:
    """Bytes; 0 for what another process just removed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
