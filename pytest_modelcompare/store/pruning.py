"""What of a store has not been used for long."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_modelcompare.records.history import SessionThen
from pytest_modelcompare.store.answered import rows_name
from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.history import read_history
from pytest_modelcompare.store.lines import moment
from pytest_modelcompare.store.sizes import files_of, size_of


@dataclass(frozen=True, slots=True)
class Pruned:
    """Something that goes."""

    kind: str
    path: Path
    size: int
    """Bytes."""


def unused(root: Path, before: datetime, kept: Collection[str] = ()) -> Iterator[Pruned]:
    """Runs, timings, caches and kept answers that no session has used since a moment.

    A session's history names the runs that it used, so that what is replayed every day is never old.

    Args:
        kept: fingerprints of runs that stay.
    """
    sessions = read_history(StoreFolders(root))
    recent = [one for one in sessions if moment_or_now(one.created) >= before]
    used = {run for one in recent for row in one.contestants.values() for run in row.runs} | set(kept)
    for folder in (root / "runs").glob("*/*"):
        facts = folder / "run.json"
        if folder.parent.name not in used and facts.exists() and created(facts) < before:
            yield Pruned("run", folder, sum(size_of(file) for file in files_of(folder)))
    known = {name for one in recent for name in named_by(one)}
    for path in (root / "timings").glob("*.json"):
        if modified(path) < before and not times_one_of(path, used):
            yield pruned("timing", path)
    for pattern in ("tokens/*", "checkpoints/*", "damaged/*"):
        yield from (pruned("cache", path) for path in root.glob(pattern) if modified(path) < before)
    for path in (root / "answered").glob("*.npz"):
        if path.stem not in known and modified(path) < before:
            yield pruned("kept answers", path)


def times_one_of(timing: Path, used: Collection[str]) -> bool:
    """Whether one of these runs was timed there."""
    try:
        timed = json.loads(timing.read_text(encoding="utf-8"))["runs"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return any(key.startswith(tuple(used)) for key in timed)


def named_by(one: SessionThen) -> Iterator[str]:
    yield rows_name(one.rows)
    yield from (row.answers for row in one.contestants.values() if row.answers)


def pruned(kind: str, path: Path) -> Pruned:
    return Pruned(kind, path, sum(size_of(file) for file in files_of(path)))


def remove(root: Path, one: Pruned) -> None:
    """Take a thing away by one rename, so that nobody finds half of it.

    Raises:
        StoreError: the store cannot be written.
    """
    folders = StoreFolders(root)
    with store_errors(one.path), folders.scratch() as scratch:
        one.path.rename(scratch / one.path.name)
        if one.kind == "run" and not any(one.path.parent.iterdir()):
            shutil.rmtree(one.path.parent, ignore_errors=True)


def moment_or_now(text: object) -> datetime:
    """An ISO date; what is none counts as now, so that nothing is dropped by mistake."""
    return moment(text) or datetime.now(UTC)


def created(facts: Path) -> datetime:
    try:
        return moment_or_now(json.loads(facts.read_text(encoding="utf-8")).get("created"))
    except (OSError, ValueError):
        return modified(facts)


def modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
