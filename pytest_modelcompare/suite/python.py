"""Suites built in Python: the same settings, the same checks."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from pytest_modelcompare.suite.document import Document
from pytest_modelcompare.suite.load import suite_of
from pytest_modelcompare.suite.model import FORMAT, Suite


def compare(*, data: dict[str, Any], contestants: dict[str, Any], name: str = "suite", **options: Any) -> Suite:
    """A suite without YAML.

    Args:
        data: as under `data:` of a suite file. Relative paths start at the caller's file.
        contestants: as under `contestants:`.
        name: what the summary calls it.
        options: the other keys of a suite file: gates, defaults, compute, budget, prices, …

    Raises:
        SuiteError: carries every problem.
    """
    frame = inspect.currentframe()
    caller = frame.f_back if frame is not None else None
    base = Path(caller.f_code.co_filename).parent if caller is not None else Path.cwd()
    whole = {"modelcompare": FORMAT, "name": name, "data": data, "contestants": contestants, "gates": [], **options}
    document = Document(f"compare(name={name!r})", "", whole)
    return suite_of(document, base / f"{name}.modelcompare.py")
