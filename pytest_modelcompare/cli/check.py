"""`modelcompare check SUITE…`: every problem of suite files, nothing run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_modelcompare.errors import SuiteError
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
            print(f"{name}: {len(own)} contestants, {len(suite.gates)} gates, no problem found")
    return status
