"""Answers of contestants that are not trained here, and the test rows they answer, each under its digest.

Labels only, so that two sessions can be compared row by row long after; of runs the run store keeps them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.records import Predictions
from pytest_modelcompare.store.folders import StoreFolders, store_errors


@dataclass(frozen=True, slots=True)
class TestRows:
    """As much of the test rows as judging needs."""

    __test__ = False  # pytest would take it for a test

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    """Shape (n,)."""

    groups: NDArray[np.int64] | None = None
    """Shape (n,)."""


def answers_digest(predictions: Sequence[Predictions]) -> str:
    """The key of some answers: their label numbers, one vector per seed."""
    digest = hashlib.sha256()
    for one in predictions:
        digest.update(one.labels.astype("<i8").tobytes() + b"|")
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class AnsweredStore:
    """Small immutable files, written once."""

    folders: StoreFolders

    def keep_answers(self, predictions: Sequence[Predictions]) -> None:
        labels = np.stack([one.labels for one in predictions]).astype("<i4")
        self._keep(answers_digest(predictions), labels=labels)

    def keep_rows(self, digest: str, rows: TestRows) -> None:
        """Keep test rows under the digest that sessions name them by."""
        arrays = {"labels": np.array(rows.labels), "truth": rows.truth.astype("<i4")}
        if rows.groups is not None:
            arrays["groups"] = rows.groups.astype("<i8")
        self._keep(rows_name(digest), **arrays)

    def answers(self, key: str) -> tuple[Predictions, ...] | None:
        """Answers by key; None where they are not there any more."""
        found = self._read(key)
        return None if found is None else tuple(Predictions(one.astype(np.int64)) for one in found["labels"])

    def rows(self, digest: str) -> TestRows | None:
        """Test rows by digest; None where they are not there any more."""
        found = self._read(rows_name(digest))
        if found is None:
            return None
        groups = found["groups"].astype(np.int64) if "groups" in found else None
        return TestRows(tuple(found["labels"].tolist()), found["truth"].astype(np.int64), groups)

    def _keep(self, name: str, **arrays: NDArray[np.generic]) -> None:
        path = self.folders.answered / f"{name}.npz"
        if path.exists():
            return
        with store_errors(path), self.folders.scratch() as scratch:
            np.savez_compressed(scratch / path.name, **arrays)  # type: ignore[arg-type]  # its stub knows no keywords but one
            (scratch / path.name).rename(path)

    def _read(self, name: str) -> dict[str, NDArray[np.generic]] | None:
        path = self.folders.root / "answered" / f"{name}.npz"
        return read_arrays(path) if path.exists() else None


def rows_name(digest: str) -> str:
    return f"rows-{digest[:32]}"


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]] | None:
    """Every array of a file; None where it is damaged: it is a memory, no result rests on it."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, BadZipFile):
        return None
