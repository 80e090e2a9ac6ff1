"""Plan what is needed, and run it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelcompare.execution.budget import refuse_dear_plans
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.executors import Executor, executor_named
from pytest_modelcompare.execution.planning import plan_jobs
from pytest_modelcompare.execution.scheduler import Entry, run_jobs
from pytest_modelcompare.gates.claims import metrics_of
from pytest_modelcompare.inference.cores import cpu_count
from pytest_modelcompare.inference.device import cuda_refusal
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.records.progress import Watcher

MOST = 8
"""Trainings on one GPU at once, whatever the memory."""

DEVICES = frozenset({"cuda"})
"""Those that have room for several trainings."""


def prepare(wanted: Sequence[tuple[Comparison, Needs]], watcher: Watcher) -> None:
    """Fill comparisons with what their gates need.

    What fails is noted with the contestant it concerns; the rest goes on.
    """
    wanted = [(comparison, needs) for comparison, needs in wanted if needs.contestants]
    for comparison, needs in wanted:
        plan_jobs(comparison, needs)
    comparisons = [comparison for comparison, _ in wanted if comparison.data_error is None]
    if not comparisons:
        return
    refuse_dear_plans(comparisons)
    entries = [
        Entry(job, comparison)
        for comparison in comparisons
        for job in comparison.graph.required()
        if job.key not in comparison.results
    ]

    def stop() -> None:
        for comparison in comparisons:
            comparison.ledger.stop.set()

    run_jobs(entries, executor_for(wanted), watcher, stop)
    for comparison in comparisons:
        comparison.forget_evidence()


def executor_for(wanted: Sequence[tuple[Comparison, Needs]]) -> Executor:
    """As the session says; by default processes where a GPU has room for several trainings, else here.

    Where a gate is about how long training takes, each has the device to itself.
    """
    options = wanted[0][0].options
    most = options.jobs_at_once or min(MOST, cpu_count())
    name = options.executor
    if name == "auto":
        shares = any(comparison.device_kind in DEVICES for comparison, _ in wanted) and most > 1
        name = "processes" if shares and not options.smoke and may_share(wanted) else "here"
    return executor_named(name, options, most)


def may_share(wanted: Sequence[tuple[Comparison, Needs]]) -> bool:
    """Whether several trainings wait for a device that works."""
    if any(times_training(needs) for _, needs in wanted):
        return False
    new = [
        job
        for comparison, _ in wanted
        for job in comparison.graph.required()
        if job.memory_like and not job.stored and job.key not in comparison.results
    ]
    on_cuda = any(comparison.device_kind == "cuda" for comparison, _ in wanted)
    return len(new) > 1 and not (on_cuda and cuda_refusal() is not None)  # alone each says why it cannot


def times_training(needs: Needs) -> bool:
    """Whether a gate is about how long training takes."""
    metrics = [metric for gate in needs.gates or () for claim in gate.claims for metric in metrics_of(claim)]
    about = [METRICS[metric.name] for metric in metrics]
    return any(one.name == "train_seconds" or one.needs in (Need.TRAIN_COST, Need.BREAK_EVEN) for one in about)
