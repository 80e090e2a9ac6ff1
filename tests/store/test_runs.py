"""Runs are whole or absent, and never change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.records import Device, Footprint, Outcome, Predictions, Run
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.runs import RunStore


def a_run(folder: Path, created: str = "2026-01-02T03:04:05.000000+00:00", session: str = "s1") -> Run:
    predictions = Predictions(np.array([0, 1, -1]), np.array([[0.75, 0.25], [0.5, 0.5], [np.nan, np.nan]]), "softmax")
    outcome = Outcome(predictions, Footprint(train_seconds=1.5), Device("cpu", "fp32", "asked for"), ("a note",))
    return Run("f" * 64, outcome, 42, "a CPU", {"torch": "2"}, created, session, folder)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(StoreFolders(tmp_path / "store"))


def kept(store: RunStore, **facts: str) -> Run:
    with store.folders.scratch() as scratch:
        run = a_run(scratch / "run", **facts)
        run.folder.mkdir()
        (run.folder / "model").mkdir()
        return store.keep(run)


def test_a_kept_run_is_found_with_everything_it_holds(store: RunStore):
    kept(store)
    found = store.find("f" * 64)
    assert found is not None
    assert found.stored
    assert found.outcome.predictions.labels.tolist() == [0, 1, -1]
    assert found.outcome.predictions.scores == pytest.approx(
        np.array([[0.75, 0.25], [0.5, 0.5], [np.nan] * 2]), nan_ok=True
    )
    assert found.outcome.footprint.train_seconds == 1.5
    assert found.outcome.device == Device("cpu", "fp32", "asked for")
    assert (found.folder / "model").is_dir()


def test_nothing_is_found_under_another_fingerprint(store: RunStore):
    kept(store)
    assert store.find("0" * 64) is None


def test_a_fresh_run_stands_beside_the_old_one_and_counts(store: RunStore):
    kept(store)
    newer = kept(store, created="2026-01-03T03:04:05.000000+00:00", session="s2")
    found = store.find("f" * 64)
    assert found is not None
    assert found.created == newer.created
    assert store.find("f" * 64, session="s1").session == "s1"  # type: ignore[union-attr]
    assert store.find("f" * 64, session="s3") is None


def test_scratch_of_a_killed_process_is_removed(store: RunStore):
    left = store.folders.root / "scratch" / "999999999-abc"
    left.mkdir(parents=True)
    with store.folders.scratch():
        pass
    assert not left.exists()


def test_a_damaged_run_names_its_folder(store: RunStore):
    run = kept(store)
    (run.folder / "predictions.npz").write_bytes(b"PK")
    with pytest.raises(StoreError, match="delete this folder"):
        store.find("f" * 64)


def test_a_store_ignores_itself_in_git(store: RunStore):
    kept(store)
    assert (store.folders.root / ".gitignore").read_text() == "*\n"
