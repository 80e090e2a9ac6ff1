"""Journals: a line each, appended whole, read without what a killed process left torn."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_modelcompare.store.folders import store_errors


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """A journal's descriptor, under a lock that other processes respect. The file is made where there is none."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # while we waited another process may have put a shorter journal in its place
            if is_still_at(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)  # releases the lock


def is_still_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def append_line(path: Path, line: bytes) -> None:
    """Append a whole line or nothing."""
    with locked(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line  # a killed process left a torn line: leave it behind, alone
        try:
            written = os.write(descriptor, line)
            if written != len(line):
                raise OSError(28, "no space left on device")
        except OSError:
            os.ftruncate(descriptor, size)
            raise


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a journal; a torn line, as a killed process leaves it, counts for nothing.

    Raises:
        StoreError: the file cannot be read.
    """
    if not path.exists():
        return
    with store_errors(path), path.open("rb") as file:
        for line in file:
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found


def moment(text: object) -> datetime | None:
    """An ISO date, in UTC where it names no zone; None of anything else."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
