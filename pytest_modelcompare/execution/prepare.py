"""Run what is needed: trainings here, LLM calls beside them, timings last and alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from pytest_modelcompare.contestants.base import ContestantSpec
from pytest_modelcompare.contestants.predictions import PredictionsSettings
from pytest_modelcompare.contestants.registry import LOCAL
from pytest_modelcompare.data.load import load_dataset
from pytest_modelcompare.data.recorded import recorded_answers
from pytest_modelcompare.errors import BudgetError, ModelCompareError
from pytest_modelcompare.execution.asked import ask, refuse_dear_plans
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.local import local_jobs, make_run, smoke, stored_run
from pytest_modelcompare.execution.references import prepare_references
from pytest_modelcompare.execution.timed import time_contestants
from pytest_modelcompare.execution.watch import Watcher

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
        except BaseException:  # an interrupt must not go on spending
            stop_asking(wanted, asking)
            raise
        for future in asking:
            future.result()
    for comparison, needs in wanted:
        with noting(comparison, [spec.name for spec in comparison.chosen(needs) if spec.method in LOCAL]):
            time_contestants(comparison, needs, watcher)
        comparison.forget_evidence()


def load(comparison: Comparison) -> None:
    """Read the suite's data; a problem with it is an error of every gate."""
    if comparison.dataset is not None:
        return
    try:
        comparison.dataset = load_dataset(comparison.suite.data, comparison.base, comparison.folders.downloads)
    except ModelCompareError as error:
        comparison.data_error = error


def ask_all(comparison: Comparison, needs: Needs, watcher: Watcher) -> None:
    """Ask every LLM that is needed, one after the other, each with many requests in flight."""
    if comparison.options.smoke or comparison.options.llm == "off":
        return
    for spec in comparison.chosen(needs):
        if spec.method == "prompt" and spec.name not in comparison.answered:
            with noting(comparison, [spec.name]):
                ask(comparison, spec, watcher)


def compute_all(comparison: Comparison, needs: Needs, watcher: Watcher) -> None:
    """Train, or find, every local contestant; read every recorded one."""
    started = time.monotonic()
    for spec in comparison.chosen(needs):
        with noting(comparison, [spec.name]):
            if spec.method == "predictions" and spec.name not in comparison.recorded:
                read_recording(comparison, spec)
            elif spec.method in LOCAL and spec.name not in comparison.runs:
                compute(comparison, spec, started, watcher)


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
    )


def compute(comparison: Comparison, spec: ContestantSpec, started: float, watcher: Watcher) -> None:
    """All seeds of one local contestant."""
    method = LOCAL[spec.method]
    dataset, base, store, options = comparison.dataset, comparison.base, comparison.store, comparison.options
    assert dataset is not None
    runs = []
    for job in local_jobs(spec, method, dataset, base):
        refuse_late_job(comparison, started)
        if options.smoke:
            with watcher.job(f"{job.title} (smoke)"):
                smoke(job, dataset, base, store, options)
            continue
        run, made = stored_run(job, store, options), False
        if run is None:
            with watcher.job(job.title) as progress:
                run, made = make_run(job, dataset, base, store, options, progress)
        if made or run.session != options.session:  # what another worker of this session made, it counts itself
            comparison.ledger.note_run(stored=not made)
        runs.append(run)
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
        for name in names:
            comparison.failures.setdefault(name, error)


def stop_asking(wanted: Wanted, asking: Sequence[Future[None]]) -> None:
    """Nothing that has not begun is begun, and what has asks no more."""
    for comparison, _ in wanted:
        comparison.ledger.stop.set()
    for future in asking:
        future.cancel()
