"""`NAME.accepted.json`: small, committed beside the suite, written whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.records.accepted import AcceptedAnswers, AcceptedEntry, AcceptedFigure, AcceptedRecord

FORMAT = 1
LEAST_SCORE = 1e-15
HALF, SMALL = "<f2", "<i2"


def read_accepted(path: Path) -> AcceptedRecord:
    """The record; an empty one where there is no file.

    Raises:
        StoreError: the file is no record of this format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}")
        return decoded(data)
    except FileNotFoundError:
        return AcceptedRecord()
    except (OSError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise StoreError(
            f"this is no accepted record: {error}",
            where=str(path),
            fix="restore it from git; or remove it and accept anew, which loses the first baselines",
        ) from error


def write_accepted(path: Path, record: AcceptedRecord) -> None:
    """Replace the record by one rename.

    Raises:
        StoreError: the file cannot be written.
    """
    text = json.dumps(encoded(record), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(f"the accepted record cannot be written: {error.strerror}", where=str(path)) from error


def merged(old: AcceptedRecord, new: Iterable[AcceptedRecord]) -> AcceptedRecord:
    """New figures become the latest; the first baselines, and entries that are not accepted anew, stay.

    Answers that no entry points at any more are dropped.
    """
    entries, answers = dict(old.entries), dict(old.answers)
    for record in new:
        for key, entry in record.entries.items():
            before = old.entries.get(key)
            entries[key] = entry if before is None else AcceptedEntry(before.first, entry.latest, before.times + 1)
        answers.update(record.answers)
    used = {figure.answers for entry in entries.values() for figure in (entry.first, entry.latest)}
    return AcceptedRecord(entries, {key: one for key, one in answers.items() if key in used})


def answers_key(answers: AcceptedAnswers) -> str:
    """A short name of the answers' content."""
    digest = hashlib.sha256("\0".join(answers.label_names).encode() + answers.labels.tobytes())
    if answers.surprise is not None:
        digest.update(answers.surprise.tobytes())
    return digest.hexdigest()[:16]


def encoded(record: AcceptedRecord) -> dict[str, Any]:
    """The record as JSON types; this is also how a worker hands it to the controller."""
    answers = {key: encoded_answers(one) for key, one in record.answers.items()}
    return {"format": FORMAT, "entries": {key: asdict(one) for key, one in record.entries.items()}, "answers": answers}


def encoded_answers(one: AcceptedAnswers) -> dict[str, Any]:
    found: dict[str, Any] = {
        "shape": list(one.labels.shape),
        "label_names": list(one.label_names),
        "labels": packed(one.labels.astype(SMALL)),
    }
    if one.surprise is not None:
        found["surprise"] = packed(one.surprise.astype(HALF))
    return found


def packed(values: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()


def unpacked(text: str, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind).reshape(shape)


def decoded(data: Mapping[str, Any]) -> AcceptedRecord:
    entries = {
        key: AcceptedEntry(figure(one["first"]), figure(one["latest"]), int(one["times"]))
        for key, one in data["entries"].items()
    }
    return AcceptedRecord(entries, {key: decoded_answers(one) for key, one in data["answers"].items()})


def decoded_answers(one: Mapping[str, Any]) -> AcceptedAnswers:
    shape, names = tuple(one["shape"]), tuple(one["label_names"])
    surprise = None
    if "surprise" in one:
        surprise = unpacked(one["surprise"], HALF, (*shape, len(names))).astype(np.float16)
    return AcceptedAnswers(unpacked(one["labels"], SMALL, shape).astype(np.int64), names, surprise)


def figure(data: Mapping[str, Any]) -> AcceptedFigure:
    return AcceptedFigure(**{**data, "models": tuple(data["models"])})
