"""Small models against LLMs, as a regression gate in pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_modelcompare.errors import ModelCompareError, SuiteError
    from pytest_modelcompare.records import Verdict
    from pytest_modelcompare.suite.load import load_suite
    from pytest_modelcompare.suite.model import Suite
    from pytest_modelcompare.suite.python import compare

__version__ = "0.1.0"

__all__ = ["ModelCompareError", "Suite", "SuiteError", "Verdict", "__version__", "compare", "load_suite"]

FILE_PATTERNS = ["*.modelcompare.yaml", "*.modelcompare.yml"]
"""Names of files that are suites. The ini option `modelcompare_files` says others."""

HOMES = {
    "ModelCompareError": "errors",
    "Suite": "suite.model",
    "SuiteError": "errors",
    "Verdict": "records",
    "compare": "suite.python",
    "load_suite": "suite.load",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for: pytest imports this package in every run."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
