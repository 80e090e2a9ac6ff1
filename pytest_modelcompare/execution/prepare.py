"""Run what is needed: trainings here, LLM calls beside them, timings last and alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from pytest_modelcompare.data.recorded_answers import recorded_answers
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.errors import BudgetError, ModelCompareError
from pytest_modelcompare.execution.asked import ask, refuse_dear_plans
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.local import local_jobs
from pytest_modelcompare.execution.obtaining import obtain
from pytest_modelcompare.execution.references import prepare_references
from pytest_modelcompare.execution.rehearsal import refuse_uninstalled, refuse_unservable
from pytest_modelcompare.execution.side_by_side import train_side_by_side
from pytest_modelcompare.execution.smoke import has_made_up_rows, make_up_rows, quick_to_fail, smoke, stands_aside
from pytest_modelcompare.execution.stopping import is_wanted_whole, may_stop
from pytest_modelcompare.execution.sweep import needs_validation, select
from pytest_modelcompare.execution.timed import time_contestants
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.predictions import PredictionsSettings
from pytest_modelcompare.methods.registry import LOCAL

Wanted = Sequence[tuple[Comparison, Needs]]


def prepare(wanted: Wanted, watcher: Watcher) -> None:
    """Fill comparisons with what their gates need.

    What fails is noted with the contestant it concerns; the rest goes on.
    """
    wanted = [(comparison, needs) for comparison, needs in wanted if needs.contestants]
    for comparison, _ in wanted:
        load(comparison)
    wanted = [(comparison, needs) for comparison, needs in wanted if comparison.data_error is None]
    refuse_dear_plans(wanted)
    with ThreadPoolExecutor(1, thread_name_prefix="modelcompare-llm") as llm:
        asking = [llm.submit(ask_all, comparison, needs, watcher) for comparison, needs in wanted]
        try:
            for comparison, needs in wanted:
                compute_all(comparison, needs, watcher)
                prepare_references(comparison, watcher)
            # what may stop early is looked at beside trained contestants, so these come first
            asking += [llm.submit(ask_all, comparison, needs, watcher, stopping=True) for comparison, needs in wanted]
            for future in asking:
                future.result()
        except BaseException:  # an interrupt must not go on spending
            stop_asking(wanted, asking)
            raise
    for comparison, needs in wanted:
        with noting(comparison, [spec.name for spec in comparison.chosen(needs) if spec.method in LOCAL]):
            time_contestants(comparison, needs, watcher)
        comparison.forget_evidence()


def load(comparison: Comparison) -> None:
    """Read the suite's data; a problem with it is an error of every gate."""
    if comparison.dataset is not None:
        return
    try:
        with quick_to_fail(comparison):
            comparison.dataset = load_dataset(
                comparison.suite.data,
                comparison.base,
                comparison.folders.downloads,
                need_validation=needs_validation(comparison.suite.contestants.values()),
            )
    except ModelCompareError as error:
        if not make_up_rows(comparison, error):
            comparison.data_error = error


def ask_all(comparison: Comparison, needs: Needs, watcher: Watcher, *, stopping: bool = False) -> None:
    """Ask every LLM that is needed, one after the other, each with many requests in flight.

    Args:
        stopping: those that stop when their gates are decided; else the others.
    """
    if comparison.options.smoke or comparison.options.llm == "off":
        return
    for spec in comparison.chosen(needs):
        if spec.method != "prompt" or may_stop(spec) is not stopping:
            continue
        if spec.name not in comparison.answered or is_wanted_whole(comparison, spec.name, needs.gates):
            with noting(comparison, [spec.name]):
                ask(comparison, spec, watcher, needs.gates)


def compute_all(comparison: Comparison, needs: Needs, watcher: Watcher) -> None:
    """Train, or find, every local contestant; read every recorded one."""
    started = time.monotonic()
    refuse_uninstalled(comparison, needs)
    refuse_unservable(comparison, needs)
    train_side_by_side(comparison, needs, watcher, started)
    for spec in comparison.chosen(needs):
        if spec.name in comparison.failures:
            continue
        with noting(comparison, [spec.name]):
            if spec.method == "predictions" and spec.name not in comparison.recorded:
                if not has_made_up_rows(comparison):
                    read_recording(comparison, spec)
            elif spec.method in LOCAL and not spec.members and spec.name not in comparison.runs:
                compute(comparison, spec, started, watcher)
    for spec in comparison.chosen(needs):
        if spec.members and spec.name not in comparison.selections and not comparison.options.smoke:
            with noting(comparison, [spec.name]):
                select(comparison, spec)


def read_recording(comparison: Comparison, spec: ContestantSpec) -> None:
    """Recorded answers, in the order of the test rows."""
    assert comparison.dataset is not None
    settings = spec.settings
    assert isinstance(settings, PredictionsSettings)
    comparison.recorded[spec.name] = recorded_answers(
        settings.source,
        settings.missing,
        comparison.dataset,
        comparison.suite.data,
        comparison.base,
        comparison.folders.downloads,
        settings.read,
    )


def compute(comparison: Comparison, spec: ContestantSpec, started: float, watcher: Watcher) -> None:
    """All seeds of one local contestant."""
    method, dataset, runs = LOCAL[spec.method], comparison.dataset, []
    assert dataset is not None
    if comparison.options.smoke:
        smoke(comparison, spec, method, watcher)
        comparison.runs[spec.name] = []  # once per session is enough
        return
    for job in local_jobs(spec, method, dataset, comparison.base):
        refuse_late_job(comparison, started)
        runs.append(obtain(comparison, job, watcher))
    comparison.runs[spec.name] = runs


def refuse_late_job(comparison: Comparison, started: float) -> None:
    """The suite's `budget: {minutes: …}` holds for starting jobs."""
    budget = comparison.suite.budget
    if budget is not None and budget.minutes is not None and time.monotonic() - started > 60 * budget.minutes:
        raise BudgetError(
            f"the suite's {budget.minutes:g} minutes are used up; what was finished is stored",
            where=str(comparison.suite.path),
            fix="run again to go on from there, or raise `budget: {minutes: …}`",
        )


@contextmanager
def noting(comparison: Comparison, names: Sequence[str]) -> Iterator[None]:
    """A failure concerns these contestants; the session goes on."""
    try:
        yield
    except ModelCompareError as error:
        if stands_aside(comparison, error):
            return
        for name in names:
            comparison.note_failure(name, error)


def stop_asking(wanted: Wanted, asking: Sequence[Future[None]]) -> None:
    """Nothing that has not begun is begun, and what has asks no more."""
    for comparison, _ in wanted:
        comparison.ledger.stop.set()
    for future in asking:
        future.cancel()
