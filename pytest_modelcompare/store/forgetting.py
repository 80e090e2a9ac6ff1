"""LLM answers that are given up for good: they would have to be paid for again."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from pytest_modelcompare.store.answers import JOURNAL
from pytest_modelcompare.store.folders import store_errors
from pytest_modelcompare.store.lines import locked
from pytest_modelcompare.store.pruning import moment_or_now


def forget_answers(root: Path, before: datetime, *, dry: bool = False) -> int:
    """Drop answers given before a moment; how many. What is appended meanwhile stays.

    Raises:
        StoreError: the journal cannot be written.
    """
    path = root / "answers" / JOURNAL
    if not path.exists():
        return 0
    with store_errors(path), locked(path) as descriptor:
        with os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(0)
            lines = file.readlines()
        kept = [line for line in lines if not is_old(line, before)]
        if len(kept) < len(lines) and not dry:
            unfinished = path.with_name(path.name + ".unfinished")
            unfinished.write_bytes(b"".join(kept))
            unfinished.replace(path)
    return len(lines) - len(kept)


def is_old(line: bytes, before: datetime) -> bool:
    """Torn lines go with the old ones; a line without a date stays."""
    try:
        found = json.loads(line)
    except ValueError:
        return True
    return not isinstance(found, dict) or moment_or_now(found.get("created")) < before
