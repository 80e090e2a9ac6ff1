"""report.json: the session's records as they are."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pytest_modelcompare.records.report import SessionReport
from pytest_modelcompare.reports.whole_file import write_whole


def write_json(report: SessionReport, path: Path) -> None:
    """Write the report, whole or not at all.

    Figures that are not finite (an unmeasured memory, an infinite ratio) become null: JSON has no NaN.
    """
    write_whole(render_json(report), path)


def render_json(report: SessionReport) -> str:
    """The report's text."""
    return json.dumps(finite(report.to_json()), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """The same structure with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
