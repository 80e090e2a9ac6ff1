"""Plan what is needed, and run it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pytest_modelcompare.execution.budget import refuse_dear_plans
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.executors import Executor, executor_named
from pytest_modelcompare.execution.planning import plan_jobs
from pytest_modelcompare.execution.scheduler import Entry, run_jobs
from pytest_modelcompare.gates.claims import metrics_of
from pytest_modelcompare.inference.cores import cpu_count
from pytest_modelcompare.inference.device import cuda_refusal
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.records.jobs import Job
from pytest_modelcompare.records.progress import Watcher

MOST = 8
"""Trainings on one GPU at once, whatever the memory."""


def everything_is_needed(comparison: Comparison, job: Job[Any]) -> bool:  # noqa: ARG001
    return True


def prepare(
    wanted: Sequence[tuple[Comparison, Needs]],
    watcher: Watcher,
    is_needed: Callable[[Comparison, Job[Any]], bool] = everything_is_needed,
) -> None:
    """Fill comparisons with what their gates need.

    What fails is noted with the contestant it concerns; the rest goes on.

    Args:
        is_needed: asked before a job begins, whether it is still worth doing.
    """
    wanted = [(comparison, needs) for comparison, needs in wanted if needs.contestants]
    for comparison, needs in wanted:
        plan_jobs(comparison, needs)
    comparisons = [comparison for comparison, _ in wanted if comparison.data_error is None]
    if not comparisons:
        return
    refuse_dear_plans(comparisons)
    entries = [
        Entry(job, comparison, partial(is_needed, comparison))
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
        name = "processes" if most > 1 and not options.smoke and share_a_gpu(wanted) else "here"
    return executor_named(name, options, most)


def share_a_gpu(wanted: Sequence[tuple[Comparison, Needs]]) -> bool:
    """Whether several trainings wait for a GPU that works: alone each says why it cannot, or falls back."""
    if any(times_training(needs) for _, needs in wanted):
        return False
    new = [
        job
        for comparison, _ in wanted
        if comparison.device_kind == "cuda"
        for job in comparison.graph.required()
        if job.memory_like and not job.stored and job.key not in comparison.results
    ]
    return len(new) > 1 and cuda_refusal() is None


def times_training(needs: Needs) -> bool:
    """Whether a gate is about how long training takes."""
    metrics = [metric for gate in needs.gates or () for claim in gate.claims for metric in metrics_of(claim)]
    about = [METRICS[metric.name] for metric in metrics]
    return any(one.name == "train_seconds" or one.needs in (Need.TRAIN_COST, Need.BREAK_EVEN) for one in about)
