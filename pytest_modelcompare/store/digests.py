"""Whether the files of a run are what was put in place: a digest of each, beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from pytest_modelcompare.errors import StoreError

DIGESTS = "digests.json"


class DamagedRun(StoreError):
    """A run's folder was changed after it was put in place."""

    def __init__(self, what: str, folder: Path) -> None:
        super().__init__(what, where=str(folder), fix="delete this folder; the run is made again")
        self.folder = folder


def write_digests(folder: Path) -> None:
    """Write down what every file below a folder holds."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): digest_of(path) for path in files}
    (folder / DIGESTS).write_text(json.dumps(found, indent=1), encoding="utf-8")


def require_unchanged(folder: Path, names: Iterable[str] | None = None) -> None:
    """Hold files against what was written down; a run of a former version has nothing written down, and is believed.

    Args:
        names: of files, relative to the folder; None: all that were written down.

    Raises:
        DamagedRun: a file is gone or another.
    """
    if not (folder / DIGESTS).exists():
        return
    try:
        written = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        wanted = {name: written[name] for name in (written if names is None else names)}
        for name, digest in wanted.items():
            if digest_of(folder / name) != digest:
                raise DamagedRun(f"a stored run is damaged: {name} is not what was stored", folder)
    except FileNotFoundError as error:
        raise DamagedRun(f"a stored run is damaged: {error.filename} is gone", folder) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRun(f"a stored run is damaged: {DIGESTS} cannot be read ({error})", folder) from error


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
