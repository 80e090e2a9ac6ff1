"""`modelcompare check SUITE…`: every problem of suite files, nothing run.

What is not installed is a warning: a suite whose runs and answers are stored or recorded is replayed without it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_modelcompare.errors import SuiteError
from pytest_modelcompare.extras import NotInstalledError, require
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.registry import libraries_of
from pytest_modelcompare.suite.load import load_suite


def run(options: argparse.Namespace) -> int:
    """Print each file's problems to stderr, or that it is in order; 1 if any has some."""
    status = 0
    for name in options.suites:
        try:
            suite = load_suite(Path(name))
        except SuiteError as error:
            print(error, file=sys.stderr)
            status = 1
        else:
            own = [spec for spec in suite.contestants.values() if spec.member_of is None]
            for warning in not_installed_warnings(own, name):
                print(warning, file=sys.stderr)
            print(f"{name}: {len(own)} contestants, {len(suite.gates)} gates, no problem found")
    return status


def not_installed_warnings(contestants: Iterable[ContestantSpec], suite: str) -> Iterator[str]:
    """What they would be trained or asked with and is not there, each at its line."""
    for spec in contestants:
        try:
            require(f"where it is not stored, `{spec.name}`", libraries_of(spec))
        except NotInstalledError as error:
            yield f"{suite}:{spec.line}:{spec.column}: warning: {error}"
