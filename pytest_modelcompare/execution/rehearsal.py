"""What could not be trained or served here is refused before any of it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.local import local_jobs, stored_run
from pytest_modelcompare.extras import not_installed, require
from pytest_modelcompare.methods.base import Work
from pytest_modelcompare.methods.registry import LOCAL, libraries_of

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison, Needs


def refuse_uninstalled(comparison: Comparison, needs: Needs) -> None:
    """Note the contestants that must be computed with libraries that are not there; what is stored needs none."""
    for spec in comparison.chosen(needs):
        if spec.method not in LOCAL or spec.members or spec.name in comparison.runs:
            continue
        libraries = libraries_of(spec)
        if not not_installed(libraries):
            continue
        assert comparison.dataset is not None
        try:
            smoke = comparison.options.smoke  # it trains everything, small
            jobs = [] if smoke else local_jobs(spec, LOCAL[spec.method], comparison.dataset, comparison.base)
            if smoke or any(stored_run(job, comparison.store, comparison.options) is None for job in jobs):
                require(f"contestant `{spec.name}`", libraries)
        except ModelCompareError as error:
            comparison.note_failure(spec.name, error)


def refuse_unservable(comparison: Comparison, needs: Needs) -> None:
    """Rehearse the serving of every training that is yet to be made; what fails is noted with its contestant."""
    if comparison.options.smoke:  # it serves everything, small
        return
    for spec in comparison.chosen(needs):
        if spec.method not in LOCAL or spec.members or spec.name in comparison.runs:
            continue
        if spec.name in comparison.failures:
            continue
        method, dataset, store = LOCAL[spec.method], comparison.dataset, comparison.store
        assert dataset is not None
        if method.trained_as(spec.settings) is None:
            continue
        try:
            jobs = [job for job in local_jobs(spec, method, dataset, comparison.base) if job.training is not None]
            wanted = (one for job in jobs for one in (job, job.training) if one is not None)
            if any(stored_run(one, store, comparison.options) is not None for one in wanted):
                continue  # it was served, or trained, before
            with comparison.folders.scratch() as scratch:
                work = Work(dataset, spec.seeds[0], "cpu", scratch, comparison.base)
                method.rehearse_serving(spec.settings, work)
        except ModelCompareError as error:
            comparison.note_failure(spec.name, error)
