"""A SQLite index of the answer journal. It holds nothing that the journal does not: delete it and it is rebuilt."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

from pytest_modelcompare.pricing.price_list import Usage

VERSION = 2
TABLES = """
create table if not exists answers (key text primary key, offset integer not null, length integer not null);
create table if not exists journals (path text primary key, inode integer not null, size integer not null);
create table if not exists models (
    model text primary key, answers integer not null, estimated integer not null, input integer not null,
    logs real not null, squares real not null
);
"""
ESTIMATED = "estimated_tokens"
"""Of an answer's line: the input tokens that were expected from the characters of what was asked."""


@dataclass(frozen=True, slots=True)
class TokenSums:
    """What the answers of one model took, of those whose input was estimated by characters beforehand."""

    answers: int
    estimated: int
    input: int
    """Tokens, cached ones included."""

    logs: float
    squares: float
    """Sums over answers of log(input / estimated), and of its square."""


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

    def tokens_of(self, model: str) -> TokenSums | None:
        """Sums over every line of `provider:model`; None where there is none."""
        columns = "answers, estimated, input, logs, squares"
        row = self.connection.execute(f"select {columns} from models where model = ?", (model,)).fetchone()  # noqa: S608
        return None if row is None else TokenSums(*row)

    def count_tokens(self, record: dict[str, Any]) -> None:
        """Add one answer to its model's sums, where it says what was expected and what was taken."""
        found = input_of(record)
        if found is None:
            return
        model, estimated, taken = found
        ratio = log(taken / estimated)
        self.connection.execute(
            "insert into models values (?, 1, ?, ?, ?, ?) on conflict (model) do update set answers = answers + 1, "
            "estimated = estimated + excluded.estimated, input = input + excluded.input, "
            "logs = logs + excluded.logs, squares = squares + excluded.squares",
            (model, estimated, taken, ratio, ratio**2),
        )

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
                self.connection.execute("delete from models")
            end = known
            for record, offset, length in whole_lines(journal, known):
                if isinstance(key := record.get("key"), str):
                    self.connection.execute("insert or replace into answers values (?, ?, ?)", (key, offset, length))
                    self.count_tokens(record)
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


def whole_lines(journal: Path, start: int) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Record, offset and length of each complete line from a byte on; a torn line, ended later, is an empty record."""
    with journal.open("rb") as file:
        file.seek(start)
        offset = start
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                record = json.loads(line)
            except ValueError:
                record = {}
            yield record if isinstance(record, dict) else {}, offset, len(line)
            offset += len(line)


def input_of(record: dict[str, Any]) -> tuple[str, int, int] | None:
    """`provider:model` of an answer, the input tokens that were expected, and those that were taken."""
    estimated = record.get(ESTIMATED)
    try:
        usage = Usage(**record["usage"])
    except (KeyError, TypeError):  # no answer, or one of another version
        return None
    if type(estimated) is not int or estimated <= 0 or not usage.is_counted or usage.all_input_tokens <= 0:
        return None
    return f"{record.get('provider')}:{record.get('model')}", estimated, usage.all_input_tokens
