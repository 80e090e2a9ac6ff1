"""Where things stand in the store, and how a thing gets there whole or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_modelcompare.errors import StoreError


@dataclass(frozen=True, slots=True)
class StoreFolders:
    """The store's folders, made when first asked for."""

    root: Path

    @property
    def runs(self) -> Path:
        return self._made("runs")

    @property
    def answers(self) -> Path:
        return self._made("answers")

    @property
    def timings(self) -> Path:
        return self._made("timings")

    @property
    def downloads(self) -> Path:
        return self._made("downloads")

    @property
    def tokens(self) -> Path:
        return self._made("tokens")

    @property
    def checkpoints(self) -> Path:
        return self._made("checkpoints")

    @property
    def answered(self) -> Path:
        return self._made("answered")

    @property
    def reports(self) -> Path:
        return self._made("reports")

    @property
    def locks(self) -> Path:
        return self._made("locks")

    @property
    def index(self) -> Path:
        return self._made("") / "index.sqlite"

    def _made(self, name: str) -> Path:
        folder = self.root / name
        if folder.is_dir():
            return folder
        with store_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            keep_out_of_git(self.root)
        return folder

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder on the store's own disk, so that one rename puts its content in place. Removed at the end."""
        with store_errors(self.root):
            parent = self._made("scratch")
            remove_abandoned(parent)
            folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def keep_out_of_git(root: Path) -> None:
    """The store is a cache: it ignores itself, as pytest's and ruff's do."""
    for name, content in ((".gitignore", "*\n"), ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n")):
        path = root / name
        if not path.exists():
            path.write_text(content, encoding="utf-8")


def remove_abandoned(parent: Path) -> None:
    """Drop what a killed process left: scratch folders whose process is gone."""
    for folder in parent.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not process_is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def process_is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def store_errors(where: Path) -> Iterator[None]:
    """Turn an operating system's refusal into words.

    Raises:
        StoreError: the folder cannot be written, the disk is full, or a file is broken.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(
            f"the store cannot be used: {reason}",
            where=str(where),
            fix="free some space, mend the permissions, or name another folder with --modelcompare-store=DIR; "
            "what was stored before is whole",
        ) from error
