"""The suites that a command is about: files as they are named, folders as pytest would collect them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from pytest_modelcompare import FILE_PATTERNS
from pytest_modelcompare.errors import Problem, SuiteError

LEFT_OUT = ("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}")
"""Folders that pytest does not look into, as its ini option `norecursedirs` is by default."""


def suite_files(names: Sequence[str]) -> list[str]:
    """Each file that is named, every suite below each folder; below this folder where nothing is named.

    Raises:
        SuiteError: there is none below a folder.
    """
    found = list[str]()
    for name in names or ["."]:
        path = Path(name)
        if not path.is_dir():
            found.append(name)
        elif below := sorted(suites_below(path)):
            found += below
        else:
            what = f"no suite: their names are {' and '.join(FILE_PATTERNS)}"
            raise SuiteError(name, (Problem(what),))
    return list(dict.fromkeys(found))


def suites_below(folder: Path) -> Iterator[str]:
    """Paths as somebody would type them."""
    for where, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not any(fnmatch(one, pattern) for pattern in LEFT_OUT)]
        for file in files:
            if any(fnmatch(file, pattern) for pattern in FILE_PATTERNS):
                yield str(Path(where) / file)
