"""Trainings: found in the store, or made and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from pytest_modelcompare.contestants.base import ContestantSpec, LocalMethod, Progress, Work
from pytest_modelcompare.execution.fingerprint import run_fingerprint
from pytest_modelcompare.execution.options import Options
from pytest_modelcompare.inference.device import machine_in_words
from pytest_modelcompare.records import Dataset, Run
from pytest_modelcompare.store.folders import store_errors
from pytest_modelcompare.store.runs import RunStore

RECORDED_PACKAGES = ("pytest-modelcompare", "torch", "transformers", "scikit-learn", "numpy")


@dataclass(frozen=True, slots=True)
class LocalJob:
    """One training of one seed."""

    spec: ContestantSpec
    method: LocalMethod
    seed: int
    fingerprint: str

    @property
    def title(self) -> str:
        seed = f", seed {self.seed}" if len(self.spec.seeds) > 1 else ""
        return f"{self.spec.name}: {'train' if self.method.trains else 'predict'}{seed}"


def local_jobs(spec: ContestantSpec, method: LocalMethod, dataset: Dataset, base: Path) -> list[LocalJob]:
    """One job per seed, with the fingerprint it is stored under."""
    weights = method.weights_digest(spec.settings, base)
    return [
        LocalJob(spec, method, seed, run_fingerprint(method, spec, seed, dataset.digest, weights))
        for seed in spec.seeds
    ]


def stored_run(job: LocalJob, store: RunStore, options: Options) -> Run | None:
    """The run of an earlier session, or with `fresh` one that this session already made."""
    return store.find(job.fingerprint, options.session if options.fresh else None)


def make_run(
    job: LocalJob, dataset: Dataset, base: Path, store: RunStore, options: Options, progress: Callable[[Progress], None]
) -> tuple[Run, bool]:
    """Train, predict the test rows, and keep the result; if another process just did, take what it made.

    Returns:
        the run, and whether it was made here.
    """
    with store.lock(job.fingerprint):
        if found := stored_run(job, store, options):
            return found, False
        with store.folders.scratch() as scratch:
            folder = scratch / "run"
            folder.mkdir()
            work = Work(dataset, job.seed, options.device, folder, base, progress, options.smoke)
            with store_errors(store.folders.root):  # models are kept in the scratch folder while they run
                outcome = job.method.run(job.spec.settings, work)
            kind = outcome.device.kind if outcome.device else "cpu"
            run = Run(
                job.fingerprint,
                outcome,
                job.seed,
                machine_in_words(kind),
                versions(),
                datetime.now(UTC).isoformat(timespec="microseconds"),
                options.session,
                folder,
            )
            return store.keep(run), True


def smoke(job: LocalJob, dataset: Dataset, base: Path, store: RunStore, options: Options) -> None:
    """Run a job small, and keep nothing of it."""
    with store.folders.scratch() as scratch:
        job.method.run(job.spec.settings, Work(dataset, job.seed, options.device, scratch, base, smoke=True))


def versions() -> Mapping[str, str]:
    """The libraries that made a run."""
    return {name: metadata.version(name) for name in RECORDED_PACKAGES}
