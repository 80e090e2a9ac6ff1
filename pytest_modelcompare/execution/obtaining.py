"""A run, from the store or made now."""

from __future__ import annotations

from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.local import LocalJob, local_jobs, make_run, stored_run
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.methods.registry import LOCAL
from pytest_modelcompare.records import Run


def obtain(comparison: Comparison, job: LocalJob, watcher: Watcher) -> Run:
    """The stored run of a job, or a new one; what a job only serves is obtained first."""
    store, options = comparison.store, comparison.options
    run, made = stored_run(job, store, options), False
    if run is None:
        trained = None if job.training is None else obtain_whole(comparison, job.training, watcher)
        with watcher.job(job.title) as progress:
            run, made = make_run(job, comparison.base, store, options, progress, trained)
    exported = made and job.training is not None  # no training; its own was counted when it was obtained
    if not exported and (made or run.session != options.session):  # what another worker made, it counts itself
        comparison.ledger.note_run(stored=not made)
    return run


def obtain_whole(comparison: Comparison, job: LocalJob, watcher: Watcher) -> Run:
    """A run whose model can be relied on: one that was damaged is put aside and made anew."""
    run = obtain(comparison, job, watcher)
    return run if comparison.store.is_whole(run) else obtain(comparison, job, watcher)


def whole_first_run(comparison: Comparison, name: str, watcher: Watcher) -> Run:
    """The run of a contestant's first seed, before its model is loaded."""
    runs = comparison.runs[name]
    if not comparison.store.is_whole(runs[0]):
        spec = comparison.spec_of(name)
        assert comparison.dataset is not None
        jobs = local_jobs(spec, LOCAL[spec.method], comparison.dataset, comparison.base)
        job = next(one for one in jobs if one.fingerprint == runs[0].fingerprint)
        comparison.runs[name] = [obtain(comparison, job, watcher), *runs[1:]]
    return comparison.runs[name][0]
