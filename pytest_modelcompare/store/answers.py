"""LLM answers: one flushed line each in an append-only journal, found through an index that can be rebuilt."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.index import AnswerIndex, TokenSums
from pytest_modelcompare.store.lines import append_line

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

    def tokens_of(self, model: str) -> TokenSums | None:
        """What the answers of `provider:model` took, beside what was expected of them; None: there are none."""
        with self._lock, store_errors(self.path):
            return self._indexed().tokens_of(model)

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
