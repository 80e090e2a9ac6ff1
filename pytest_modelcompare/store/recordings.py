"""A recording: answers of one LLM contestant as JSON lines beside the suite, small enough to be committed."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import error as zlib_error

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.pricing.price_list import Usage

Records = Mapping[str, Mapping[str, Any]]
"""Key → the rest of its line."""

RECORDED = ("text", "stop_reason", "latency_ms", "created", "provider", "model", "row", "text_sha256")
HELPER = "#"
"""In the key of what is no answer: which shots are nearest, how often rows were asked anew."""


def read_recording(path: Path) -> dict[str, dict[str, Any]] | None:
    """Every line by key; None where there is no such file.

    Raises:
        StoreError: the file cannot be read, or a line of it is no answer.
    """
    if not path.exists():
        return None
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(read_lines(path), 1):
        with line_errors(path, number):
            record = json.loads(line)
            key = record.pop("key")
            if not isinstance(key, str):
                raise TypeError("its key is no text")
            found[key] = record if HELPER in key else answer(record)
    return found


def answer(record: dict[str, Any]) -> dict[str, Any]:
    """An answer as the journal holds it; it belongs to no session of this store.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    for name in RECORDED:
        wanted = (int, float) if name == "latency_ms" else str
        if not isinstance(record[name], wanted):
            raise TypeError(f"its {name} is no {'number' if name == 'latency_ms' else 'text'}")
    if not Usage(**record["usage"]).is_counted:
        raise TypeError("its usage holds what is no count of tokens")
    datetime.fromisoformat(record["created"])
    return {**record, "session": ""}


def read_lines(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).splitlines()
    except (OSError, EOFError, zlib_error) as error:
        raise StoreError(f"the recording cannot be read: {error}", where=str(path)) from error


@contextmanager
def line_errors(path: Path, number: int) -> Iterator[None]:
    """Raises StoreError, with the line, for what is wrong with a line."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise StoreError(
            f"the recording holds a line that is no answer: {missing}",
            where=f"{path}:{number}",
            fix="make it anew with `modelcompare answers export`, or take it back from git",
        ) from error


def write_recording(path: Path, records: Records) -> None:
    """Put a recording in its place, whole or not at all. Equal records make equal bytes.

    Args:
        records: in the order of the lines; gzipped where the name ends in `.gz`.

    Raises:
        StoreError: the folder cannot be written.
    """
    # ASCII: any text survives
    content = b"".join(json.dumps({"key": key, **record}).encode() + b"\n" for key, record in records.items())
    if path.suffix == ".gz":
        content = zipped(content)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"the recording cannot be written: {error.strerror}", where=str(path)) from error


def zipped(content: bytes) -> bytes:
    """Without a date or a name in the header."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()
