"""A SQLite index of the answer journal. It holds nothing that the journal does not: delete it and it is rebuilt."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VERSION = 1
TABLES = """
create table if not exists answers (key text primary key, offset integer not null, length integer not null);
create table if not exists journals (path text primary key, inode integer not null, size integer not null);
"""


@dataclass(slots=True)
class AnswerIndex:
    """Where in the journal the newest answer under each key stands."""

    connection: sqlite3.Connection

    @classmethod
    def open(cls, path: Path) -> AnswerIndex:
        """Open the index; a broken one, or one of another version, is made anew."""
        try:
            return cls(connected(path))
        except sqlite3.DatabaseError:
            for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                file.unlink(missing_ok=True)
            return cls(connected(path))

    def place(self, key: str) -> tuple[int, int] | None:
        """Offset and length in bytes of the newest line under a key."""
        row = self.connection.execute("select offset, length from answers where key = ?", (key,)).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def catch_up(self, journal: Path) -> None:
        """Index what was appended since the last look, by whichever process."""
        if not journal.exists():
            return
        status = journal.stat()
        row = self.connection.execute("select inode, size from journals where path = ?", (str(journal),)).fetchone()
        known = int(row[1]) if row and row[0] == status.st_ino and row[1] <= status.st_size else 0
        if row and known == status.st_size:
            return
        with self.connection:  # one transaction: another process sees all of it or nothing
            self.connection.execute("begin immediate")
            if known == 0:
                self.connection.execute("delete from answers")
            end = known
            for key, offset, length in whole_lines(journal, known):
                if key is not None:
                    self.connection.execute("insert or replace into answers values (?, ?, ?)", (key, offset, length))
                end = offset + length
            self.connection.execute(
                "insert or replace into journals values (?, ?, ?)", (str(journal), status.st_ino, end)
            )


def connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = off")  # a lost index is rebuilt
    if connection.execute("pragma user_version").fetchone()[0] not in (0, VERSION):
        connection.close()
        raise sqlite3.DatabaseError("another version's index")
    connection.executescript(TABLES)
    connection.execute(f"pragma user_version = {VERSION}")
    return connection


def whole_lines(journal: Path, start: int) -> Iterator[tuple[str | None, int, int]]:
    """Key, offset and length of each complete line from a byte on; a torn line, ended later, has no key."""
    with journal.open("rb") as file:
        file.seek(start)
        offset = start
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                key = json.loads(line)["key"]
            except (ValueError, KeyError, TypeError):
                key = None
            yield key if isinstance(key, str) else None, offset, len(line)
            offset += len(line)
