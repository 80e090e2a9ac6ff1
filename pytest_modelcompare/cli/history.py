"""`modelcompare history SUITE [GATE]`, and `--compare A B`: what earlier sessions found."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_modelcompare.errors import ModelCompareError, StoreError
from pytest_modelcompare.execution.changes import changes
from pytest_modelcompare.execution.revision import commit_named
from pytest_modelcompare.records.history import GateThen, SessionThen
from pytest_modelcompare.reports.history_table import change_lines, gate_lines, gates_in, suite_lines
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.history import read_history, suite_key

SHORTEST = 4
"""Characters by which a commit or a session may be named."""


def run(options: argparse.Namespace) -> int:
    """Print what was asked for; 1, and the reason on stderr, where it is not known."""
    status = 0
    for name in options.suites:
        try:
            lines = history(options, Path(name))
        except ModelCompareError as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        print("\n".join([*([f"{name}:"] if len(options.suites) > 1 else []), *lines]))
    return status


def history(options: argparse.Namespace, path: Path) -> list[str]:
    """The lines of one suite.

    Raises:
        StoreError: nothing is stored of the suite, the gate or the commit.
    """
    store = Path(options.store).resolve()
    sessions = sessions_of(path, store)
    if options.compare:
        before, after = (session_named(sessions, name, path.resolve().parent) for name in options.compare)
        found = changes(before, after, StoreFolders(store))
        notes = (
            ["  * more than the rows make by chance, each line by itself"] if any(one.shown for one in found) else []
        )
        return [*change_lines(before, after, found), *notes]
    if options.gate:
        return gate_lines(sessions, gate_named(sessions, options.gate), options.last)
    return suite_lines(sessions, options.last)


def sessions_of(path: Path, store: Path) -> list[SessionThen]:
    """Every session of a suite, oldest first.

    Raises:
        StoreError: there was none.
    """
    sessions = read_history(StoreFolders(store), suite_key(path, store))
    if not sessions:
        raise StoreError(
            "no session of this suite is stored",
            where=str(path),
            fix="run `pytest --modelcompare` first, or name its store with --store",
        )
    return sessions


def gate_named(sessions: Sequence[SessionThen], name: str) -> GateThen:
    """A gate by its name, its sentence, or a part of it that only one gate has.

    Raises:
        StoreError: no gate, or several, are meant.
    """
    gates = gates_in(sessions)
    near = [gate for gate in gates if name in (gate.name, gate.gate)] or [gate for gate in gates if name in gate.gate]
    if len(near) == 1:
        return near[0]
    what = f"{len(near)} gates hold `{name}`" if near else f"no gate `{name}` was ever judged"
    raise StoreError(what, fix="there are: " + "; ".join(gate.gate for gate in near or gates))


def session_named(sessions: Sequence[SessionThen], name: str, folder: Path) -> SessionThen:
    """The newest session of a commit (or its first digits), a branch, a session id, or what git means by a name.

    Raises:
        StoreError: there is none.
    """
    full = commit_named(folder, name)
    tests: tuple[Callable[[SessionThen], bool], ...] = (
        lambda one: bool(full) and one.revision.commit == full,
        lambda one: len(name) >= SHORTEST and bool(one.revision.commit) and one.revision.commit.startswith(name),
        lambda one: one.revision.branch == name,
        lambda one: len(name) >= SHORTEST and one.session.startswith(name),
    )
    for meant in tests:
        if found := [one for one in sessions if meant(one)]:
            # of a commit, what was committed counts before what was changed since
            return max(found, key=lambda one: (not one.revision.dirty, one.created))
    known = ", ".join(dict.fromkeys(one.revision.commit[:9] or one.session[:9] for one in sessions[-8:]))
    raise StoreError(f"no session of `{name}` is stored", fix=f"there are {known}")
