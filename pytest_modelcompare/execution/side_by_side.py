"""Several trainings of one suite on one GPU at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.admission import ByMemory
from pytest_modelcompare.execution.job_pool import run_all
from pytest_modelcompare.execution.local import LocalJob, local_jobs, stored_run
from pytest_modelcompare.execution.orders import Ended
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.execution.worker_process import WorkerProcess
from pytest_modelcompare.gates.claims import metrics_of
from pytest_modelcompare.inference.cores import cpu_count
from pytest_modelcompare.inference.device import cuda_refusal
from pytest_modelcompare.methods.registry import LOCAL
from pytest_modelcompare.metrics.catalogue import METRICS, Need

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison, Needs

METHODS = frozenset({"fine_tune", "lora", "distill"})
"""Those that train on the GPU, and that another process knows too."""

DEVICES = frozenset({"cuda"})
"""Those that have room for several."""

MOST = 8
"""Trainings at once, whatever the memory."""


def train_side_by_side(comparison: Comparison, needs: Needs, watcher: Watcher, started: float) -> frozenset[str]:
    """Train on a GPU what is not stored yet, as many at once as fit. What is left, for whatever reason, is then made
    alone, as everything is elsewhere.

    Args:
        started: when the suite's minutes began, by `time.monotonic`.

    Returns:
        the contestants that failed; why, is noted.
    """
    if comparison.device_kind not in DEVICES or comparison.options.smoke or sys.platform != "linux":
        return frozenset()
    most = comparison.options.jobs_at_once or min(MOST, cpu_count())
    jobs = [] if most == 1 or times_training(needs) else jobs_to_make(comparison, needs)
    if len(jobs) < 2 or (comparison.device_kind == "cuda" and cuda_refusal() is not None):
        return frozenset()  # alone each says why it cannot, or falls back
    threads = max(1, cpu_count() // most)

    def start() -> WorkerProcess:
        return WorkerProcess(comparison.base, comparison.options, threads)

    found = run_all(jobs, start, ByMemory(most), most, watcher, lambda: is_late(comparison, started))
    return settle(comparison, jobs, found)


def times_training(needs: Needs) -> bool:
    """Whether a gate is about how long training takes: then each has the device to itself."""
    metrics = [metric for gate in needs.gates or () for claim in gate.claims for metric in metrics_of(claim)]
    about = [METRICS[metric.name] for metric in metrics]
    return any(one.name == "train_seconds" or one.needs in (Need.TRAIN_COST, Need.BREAK_EVEN) for one in about)


def jobs_to_make(comparison: Comparison, needs: Needs) -> list[LocalJob]:
    """Trainings that are not stored, each once, in the suite's order. What cannot be asked for fails later, alone."""
    found: dict[str, LocalJob] = {}
    assert comparison.dataset is not None
    for spec in comparison.chosen(needs):
        if spec.method not in METHODS or spec.method not in LOCAL or spec.members:
            continue
        if spec.name in comparison.runs or spec.name in comparison.failures:
            continue
        try:
            jobs = local_jobs(spec, LOCAL[spec.method], comparison.dataset, comparison.base)
        except ModelCompareError:
            continue
        for job in (one.training or one for one in jobs):
            if stored_run(job, comparison.store, comparison.options) is None:
                found.setdefault(job.fingerprint, job)
    return list(found.values())


def is_late(comparison: Comparison, started: float) -> bool:
    budget = comparison.suite.budget
    minutes = None if budget is None else budget.minutes
    return minutes is not None and time.monotonic() - started > 60 * minutes


def settle(comparison: Comparison, jobs: Sequence[LocalJob], found: dict[str, Ended]) -> frozenset[str]:
    """Count what was made, note what failed."""
    failed = {}
    for job in jobs:
        ended = found.get(job.fingerprint)
        if ended is not None and ended.how == "made":
            comparison.ledger.note_run(stored=False)
        if ended is not None and ended.failure is not None:
            failed[job.spec.name] = ended.failure.error()
    for name, error in failed.items():
        comparison.failures.setdefault(name, error)
    return frozenset(failed)
