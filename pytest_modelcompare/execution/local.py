"""Trainings: found in the store, or made and kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_modelcompare.data.subsets import with_subset
from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.execution.fingerprint import run_fingerprint
from pytest_modelcompare.execution.options import Options
from pytest_modelcompare.extras import installed_versions
from pytest_modelcompare.inference.device import machine_in_words
from pytest_modelcompare.methods.base import ContestantSpec, LocalMethod, Work
from pytest_modelcompare.records import Dataset, Run
from pytest_modelcompare.records.progress import Progress
from pytest_modelcompare.store.folders import store_errors
from pytest_modelcompare.store.runs import RunStore

RECORDED_PACKAGES = ("pytest-modelcompare", "torch", "transformers", "scikit-learn", "numpy")

SERVING_PACKAGES = ("onnx", "onnxruntime")


@dataclass(frozen=True, slots=True)
class LocalJob:
    """One training of one seed."""

    spec: ContestantSpec
    method: LocalMethod
    seed: int
    fingerprint: str
    dataset: Dataset
    """With the training rows of this contestant."""

    training: LocalJob | None = None
    """The training that this job only serves in another form."""

    @property
    def title(self) -> str:
        seed = f", seed {self.seed}" if len(self.spec.seeds) > 1 else ""
        what = "serve" if self.training else "train" if self.method.trains else "predict"
        return f"{self.spec.name}: {what}{seed}"


def local_jobs(spec: ContestantSpec, method: LocalMethod, dataset: Dataset, base: Path) -> list[LocalJob]:
    """One job per seed, with the fingerprint it is stored under.

    Raises:
        DataError: there are fewer training rows than the contestant asks for.
    """
    weights = method.weights_digest(spec.settings, base)
    own = with_subset(dataset, spec.subset)
    trained_as = method.trained_as(spec.settings)
    training = None if trained_as is None else replace(spec, settings=trained_as)

    def job(spec: ContestantSpec, seed: int, training: LocalJob | None = None) -> LocalJob:
        return LocalJob(spec, method, seed, run_fingerprint(method, spec, seed, own.digest, weights), own, training)

    return [job(spec, seed, None if training is None else job(training, seed)) for seed in spec.seeds]


def stored_run(job: LocalJob, store: RunStore, options: Options) -> Run | None:
    """The run of an earlier session, or with `fresh` one that this session already made.

    What serves an older training than the store now has is out of date.
    """
    found = store.find(job.fingerprint, options.session if options.fresh else None)
    if found is not None and job.training is not None:
        trained = store.find(job.training.fingerprint)
        if trained is not None and trained.created > found.created:
            return None
    return found


def make_run(
    job: LocalJob,
    base: Path,
    store: RunStore,
    options: Options,
    progress: Callable[[Progress], None],
    trained: Run | None = None,
    notes: tuple[str, ...] = (),
    shared_device: bool = False,
) -> tuple[Run, bool]:
    """Train, predict the test rows, and keep the result; if another process just did, take what it made.

    Args:
        trained: the run of `job.training`, where there is one.
        notes: what is said of the run beside what the method says.
        shared_device: whether other trainings use the device meanwhile.

    Returns:
        the run, and whether it was made here.
    """
    with store.lock(job.fingerprint):
        if found := stored_run(job, store, options):
            return found, False
        with checkpoints_for(job, store, options) as checkpoints, store.folders.scratch() as scratch:
            folder = scratch / "run"
            folder.mkdir()
            tokens = store.folders.tokens
            work = Work(
                job.dataset,
                job.seed,
                options.device,
                folder,
                base,
                progress,
                options.smoke,
                tokens,
                checkpoints,
                shared_device,
            )
            with store_errors(store.folders.root):  # models are kept in the scratch folder while they run
                if trained is None:
                    outcome = job.method.run(job.spec.settings, work)
                else:
                    outcome = job.method.serve(job.spec.settings, work, trained.folder, trained.outcome.footprint)
            kind = outcome.device.kind if outcome.device else "cpu"
            run = Run(
                job.fingerprint,
                replace(outcome, notes=(*outcome.notes, *notes)),
                job.seed,
                machine_in_words(kind),
                versions(SERVING_PACKAGES if trained else ()),
                datetime.now(UTC).isoformat(timespec="microseconds"),
                options.session,
                folder,
            )
            return store.keep(run), True


@contextmanager
def checkpoints_for(job: LocalJob, store: RunStore, options: Options) -> Iterator[Path]:
    """The job's folder for checkpoints; removed when its run is kept or fails for good, else the next session's."""
    folder = store.folders.checkpoints / job.fingerprint
    if options.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    except ModelError:  # it would fail again, at the same step
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def versions(more: tuple[str, ...] = ()) -> Mapping[str, str]:
    """The libraries that made a run."""
    return installed_versions(RECORDED_PACKAGES + more)
