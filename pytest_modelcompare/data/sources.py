"""From a source as the suite names it to a table."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pytest_modelcompare.data.download import fetch
from pytest_modelcompare.data.files import read_file, require_fitting
from pytest_modelcompare.data.hub import from_folder, from_hub
from pytest_modelcompare.data.settings import FileSettings, kind_of
from pytest_modelcompare.data.table import Table
from pytest_modelcompare.errors import DataError


def source_table(settings: FileSettings, base: Path, downloads: Path) -> Table:
    """Every row of a source; `rows:` is taken later, when labels are known.

    Args:
        base: where relative paths start.
        downloads: where files named by URL and digest are kept.
    """
    kind = kind_of(settings)
    if kind == "hub":
        require_fitting(settings, (), "a hub data set", settings.path)
        return from_hub(settings)
    if kind == "url":
        path = fetch(settings.path, settings.sha256, downloads)
        return read_file(path, settings, name=settings.path.partition("?")[0])
    path = (base / settings.path).expanduser()
    if path.is_dir():
        require_fitting(settings, (), "a `datasets` folder", str(path))
        return from_folder(path, settings)
    if not path.exists():
        raise DataError("no such file", where=str(path), fix="paths are relative to the suite file")
    if settings.sha256 is not None:
        require_digest(path, settings.sha256)
    return read_file(path, settings)


def require_digest(path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected.lower():
        raise DataError(
            "the content has changed", where=str(path), fix=f"its sha256 is {found}, the suite says {expected.lower()}"
        )
