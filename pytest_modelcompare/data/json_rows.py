"""jsonl, and json that holds a list."""

from __future__ import annotations

import json
from typing import Any

from pytest_modelcompare.data.table import Table, from_rows
from pytest_modelcompare.errors import DataError

KEY = "data"
SHAPES = 'it is read as a list of objects, as `{"data": [objects]}`, or as one object per line'


def from_jsonl(text: str, where: str) -> Table:
    """One JSON object per line."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"line {number} is no JSON: {error}", where=where) from error
        if not isinstance(row, dict):
            raise DataError(f"line {number} is no JSON object", where=where)
        rows.append(row)
    return from_rows(rows, where)


def from_json(text: str, where: str) -> Table:
    """A list of objects, alone or under `data`; or one object per line, which many call .json too.

    Raises:
        DataError: it is none of these.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if is_object(text.lstrip().partition("\n")[0]):
            return from_jsonl(text, where)
        at = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"is no JSON: {error.msg} ({at})", where=where, fix=SHAPES) from error
    except RecursionError as error:
        raise DataError("is nested too deeply", where=where, fix=SHAPES) from error
    rows = value.get(KEY) if isinstance(value, dict) else value
    if not isinstance(rows, list):
        holds = f"holds an object without a list under `{KEY}`" if isinstance(value, dict) else "holds no list"
        raise DataError(holds, where=where, fix=SHAPES)
    other = next((number for number, row in enumerate(rows, 1) if not isinstance(row, dict)), None)
    if other is not None:
        raise DataError(f"item {other} of the list is no object", where=where, fix=SHAPES)
    return from_rows(rows, where)


def is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
