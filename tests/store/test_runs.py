"""Runs are whole or absent, and never change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

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
    assert store.find("f" * 64, session="s1").session == "s1"
    assert store.find("f" * 64, session="s3") is None


def test_scratch_of_a_killed_process_is_removed(store: RunStore):
    left = store.folders.root / "scratch" / "999999999-abc"
    left.mkdir(parents=True)
    with store.folders.scratch():
        pass
    assert not left.exists()


def flipped(path: Path) -> None:
    """Another digit in the middle of a file, which any reader would take."""
    content = path.read_text()
    path.write_text(content.replace("1.5", "1.4") if "1.5" in content else f"{content} ")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


@pytest.mark.parametrize(
    ("name", "damage"),
    [("run.json", flipped), ("predictions.npz", cut), ("run.json", Path.unlink), ("digests.json", cut)],
)
def test_a_damaged_run_is_put_aside_and_told(store: RunStore, name: str, damage: Callable[[Path], None]):
    run = kept(store)
    damage(run.folder / name)
    assert store.find("f" * 64) is None
    [told] = store.set_aside
    assert "a stored run is damaged" in told
    assert not run.folder.exists()
    [aside] = (store.folders.root / "damaged").iterdir()
    assert str(aside) in told
    assert store.find("f" * 64) is None
    assert kept(store).folder == run.folder  # its place is free


def test_an_older_run_stands_in_for_a_damaged_one(store: RunStore):
    kept(store)
    newer = kept(store, created="2026-01-03T03:04:05.000000+00:00", session="s2")
    flipped(newer.folder / "run.json")
    found = store.find("f" * 64)
    assert found is not None
    assert found.session == "s1"


def test_a_run_of_a_former_version_has_no_digests_and_is_believed(store: RunStore):
    run = kept(store)
    (run.folder / "digests.json").unlink()
    found = store.find("f" * 64)
    assert found is not None
    assert store.is_whole(found)
    (run.folder / "predictions.npz").write_bytes(b"PK")  # what cannot be read is damaged all the same
    assert store.find("f" * 64) is None


def test_a_models_file_is_looked_at_before_it_is_loaded(store: RunStore):
    run = kept(store)
    assert store.is_whole(run)
    (run.folder / "model" / "weights").write_text("x")  # nothing was written down of it
    assert store.is_whole(run)
    flipped(run.folder / "run.json")
    assert not store.is_whole(run)


def test_a_damaged_run_in_a_store_that_cannot_be_written_is_told_and_not_used(store: RunStore, monkeypatch):
    run = kept(store)
    flipped(run.folder / "run.json")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refused)
    assert store.find("f" * 64) is None
    assert "cannot be moved" in store.set_aside[0]


def test_a_store_ignores_itself_in_git(store: RunStore):
    kept(store)
    assert (store.folders.root / ".gitignore").read_text() == "*\n"
