"""LLM answers: one flushed line each in an append-only journal, found through an index that can be rebuilt."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.index import AnswerIndex

JOURNAL = "answers.jsonl"


@dataclass(slots=True)
class AnswerJournal:
    """Every answer that was ever paid for under this store.

    Safe under several processes and threads; a `kill -9` loses at most the line being written.
    """

    folders: StoreFolders
    _index: AnswerIndex | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def path(self) -> Path:
        return self.folders.answers / JOURNAL

    def get(self, key: str) -> dict[str, Any] | None:
        """The newest answer under a key, or None."""
        with self._lock, store_errors(self.path):
            place = self._indexed().place(key)
            return None if place is None else self._read(*place)

    def put(self, key: str, record: dict[str, Any]) -> None:
        """Append one answer. It is on its way to the disk when this returns.

        Raises:
            StoreError: the disk is full or the store cannot be written; the journal is as it was before.
        """
        line = json.dumps({"key": key, **record}).encode() + b"\n"  # ASCII: any text survives
        with self._lock, store_errors(self.path):
            append_line(self.path, line)

    def _indexed(self) -> AnswerIndex:
        if self._index is None:
            self._index = AnswerIndex.open(self.folders.index)
        self._index.catch_up(self.path)
        return self._index

    def _read(self, offset: int, length: int) -> dict[str, Any]:
        with self.path.open("rb") as journal:
            journal.seek(offset)
            record: dict[str, Any] = json.loads(journal.read(length))
        del record["key"]
        return record


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
