"""What could not be served is refused before it is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.local import local_jobs, stored_run
from pytest_modelcompare.methods.base import Work
from pytest_modelcompare.methods.registry import LOCAL

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison, Needs


def refuse_unservable(comparison: Comparison, needs: Needs) -> None:
    """Rehearse the serving of every training that is yet to be made; what fails is noted with its contestant."""
    if comparison.options.smoke:  # it serves everything, small
        return
    for spec in comparison.chosen(needs):
        if spec.method not in LOCAL or spec.members or spec.name in comparison.runs:
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
            comparison.failures.setdefault(spec.name, error)
