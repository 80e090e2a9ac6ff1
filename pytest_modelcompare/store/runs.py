"""Runs: immutable folders under their fingerprint, put in place by one rename."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from filelock import FileLock

from pytest_modelcompare.records import Device, Footprint, Outcome, Predictions, Run
from pytest_modelcompare.store.digests import DamagedRun, require_unchanged, write_digests
from pytest_modelcompare.store.folders import StoreFolders, store_errors

FORMAT = 1
VALIDATION = "validation.npz"
"""Beside the predictions, where the data set had validation rows."""

SHARED_BEFORE = "trained while other trainings shared the GPU: alone it takes less time"
"""The note by which runs of the first stores, which have no `shared_device`, say that it was so."""


@dataclass(frozen=True, slots=True)
class RunStore:
    """Every training that was ever finished under this store."""

    folders: StoreFolders
    set_aside: list[str] = field(default_factory=list, compare=False)
    """What was found damaged, in words, and where it lies now."""

    def find(self, fingerprint: str, session: str | None = None) -> Run | None:
        """The newest run under a fingerprint; with `session`, only one made in it."""
        parent = self.folders.runs / fingerprint
        if not parent.is_dir():
            return None
        for folder in sorted(parent.iterdir(), reverse=True):
            try:
                run = read_run(folder)
            except DamagedRun as error:
                self.put_aside(error)
                continue
            if session is None or run.session == session:
                return run
        return None

    def is_whole(self, run: Run) -> bool:
        """Whether every file of a run is what was stored; one that is not is put aside."""
        try:
            require_unchanged(run.folder)
        except DamagedRun as error:
            self.put_aside(error)
            return False
        return True

    def put_aside(self, error: DamagedRun) -> None:
        """Move a damaged run out of the way, so that it is made anew, and say so."""
        folder = error.folder
        target = self.folders.root / "damaged" / f"{folder.parent.name[:16]}-{folder.name}"
        where = f"it lies in {target} now"
        try:
            target.parent.mkdir(exist_ok=True)
            folder.rename(target)
        except FileNotFoundError:  # another process was quicker
            return
        except OSError as refused:
            where = f"it cannot be moved out of {folder} ({refused.strerror})"
        self.set_aside.append(f"{error.what}; {where}, and is not used")

    def as_of(self, fingerprint: str, moment: str) -> Run | None:
        """The run that was the newest at a moment, ISO 8601; None where it is not there any more."""
        parent = self.folders.root / "runs" / fingerprint
        if not parent.is_dir():
            return None
        before = [folder for folder in sorted(parent.iterdir()) if folder.name < f"{moment.replace(':', '')[:17]}~"]
        return read_run(before[-1]) if before else None

    @contextmanager
    def lock(self, fingerprint: str) -> Iterator[None]:
        """Held while a run is made, so that of two processes one makes it and the other finds it."""
        with store_errors(self.folders.root):
            held = FileLock(self.folders.locks / f"{fingerprint}.lock")
            held.acquire()
        try:
            yield
        finally:
            held.release()

    def keep(self, run: Run) -> Run:
        """Put a finished run, whose files stand in a scratch folder, in its place.

        Returns:
            the run with its final folder.
        """
        parent = self.folders.runs / run.fingerprint
        target = parent / f"{run.created.replace(':', '').replace('+0000', 'Z')}-{run.session[:8]}"
        with store_errors(parent):
            write_run(run)
            write_digests(run.folder)
            parent.mkdir(exist_ok=True)
            run.folder.rename(target)
        return read_run(target)


def write_run(run: Run) -> None:
    """Write a run's facts and predictions into its folder."""
    outcome = run.outcome
    predictions = outcome.predictions
    np.savez(run.folder / "predictions.npz", **arrays_of(predictions))
    if outcome.validation is not None:
        np.savez(run.folder / VALIDATION, **arrays_of(outcome.validation))
    facts = {
        "format": FORMAT,
        "fingerprint": run.fingerprint,
        "seed": run.seed,
        "machine": run.machine,
        "versions": dict(run.versions),
        "created": run.created,
        "session": run.session,
        "scores_from": predictions.scores_from,
        "failures": dict(predictions.failures),
        "footprint": asdict(outcome.footprint),
        "device": asdict(outcome.device) if outcome.device else None,
        "notes": list(outcome.notes),
        "shared_device": outcome.shared_device,
    }
    (run.folder / "run.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def arrays_of(predictions: Predictions) -> dict[str, Any]:
    arrays: dict[str, Any] = {"labels": predictions.labels}
    if predictions.scores is not None:
        arrays["scores"] = predictions.scores.astype(np.float32)
    return arrays


def read_predictions(path: Path, scores_from: str, failures: Mapping[str, int]) -> Predictions:
    with np.load(path, allow_pickle=False) as arrays:
        scores = arrays["scores"].astype(np.float64) if "scores" in arrays else None
        return Predictions(arrays["labels"], scores, scores_from, failures)


def read_run(folder: Path) -> Run:
    """The run in a folder of the store.

    Raises:
        DamagedRun: the folder was changed after it was put in place.
    """
    has_validation = (folder / VALIDATION).exists()
    require_unchanged(folder, ["run.json", "predictions.npz", *([VALIDATION] if has_validation else [])])
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        predictions = read_predictions(folder / "predictions.npz", facts["scores_from"], facts["failures"])
        validation = None
        if has_validation:
            validation = read_predictions(folder / VALIDATION, facts["scores_from"], {})
        device = Device(**facts["device"]) if facts["device"] else None
        notes = tuple(facts["notes"])
        shared = facts.get("shared_device", SHARED_BEFORE in notes)
        outcome = Outcome(predictions, Footprint(**facts["footprint"]), device, notes, validation, shared)
        return Run(
            facts["fingerprint"],
            outcome,
            facts["seed"],
            facts["machine"],
            facts["versions"],
            facts["created"],
            facts["session"],
            folder,
            stored=True,
        )
    except (OSError, KeyError, TypeError, ValueError, BadZipFile) as error:
        raise DamagedRun(f"a stored run is damaged: {error}", folder) from error
