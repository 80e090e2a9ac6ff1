"""report.json: the session's records as they are."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pytest_modelcompare.records.report import SessionReport


def write_json(report: SessionReport, path: Path) -> None:
    """Write the report, whole or not at all.

    Figures that are not finite (an unmeasured memory, an infinite ratio) become null: JSON has no NaN.
    """
    text = json.dumps(finite(report.to_json()), indent=1, ensure_ascii=False, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)


def finite(value: Any) -> Any:
    """The same structure with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
