"""What conftest.py files add to suites (metrics, providers, prices), for commands that pytest does not run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

HOOKS = b"pytest_modelcompare_"


def load(options: argparse.Namespace) -> bool:
    """Take over what the conftests of the named suites add, as pytest would find it.

    Without such a conftest beside or above a suite nothing is imported: pytest alone takes a third of a second.

    Returns:
        False where pytest could not load one; it has said why.
    """
    named = [Path(name) for name in (*getattr(options, "suites", ()), getattr(options, "suite", None)) if name]
    suites = [path for path in named if path.is_file() and adds(path)]
    return take_over(suites) if suites else True


def adds(suite: Path) -> bool:
    """Whether a conftest beside or above a suite names one of our hooks."""
    files = (folder / "conftest.py" for folder in suite.resolve().parents)
    return any(file.is_file() and HOOKS in file.read_bytes() for file in files)


def take_over(suites: Iterable[Path]) -> bool:
    """Let pytest read its settings and the conftests, as it would for these suites, and stop there."""
    import pytest

    from pytest_modelcompare.execution import additions

    class Keep:
        """Listens as a comparison would, but for the life of this process."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_cmdline_main(self, config: pytest.Config) -> int:
            additions.listen(config, kept=True)
            return 0

    # nothing is tested here, so that no assert needs to be rewritten
    return pytest.main(["--assert=plain", *map(str, suites)], plugins=[Keep()]) == 0
