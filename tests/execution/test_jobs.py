"""The graph of jobs: what is planned is what runs, each when what it needs is there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_modelcompare.errors import ModelCompareError, ModelError
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.executors.here import Here
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.planning import plan_jobs
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.execution.scheduler import Entry, run_jobs
from pytest_modelcompare.records.jobs import Context, Job, Kind, Place, Results
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched, Watcher
from pytest_modelcompare.suite.load import load_suite
from tests.pytest_plugin.conftest import HAM, SPAM, rows, write


@dataclass
class World:
    """Owns jobs, and remembers what became of them."""

    results: dict[str, Any] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    errors: dict[str, ModelCompareError] = field(default_factory=dict)
    jobs: dict[str, Job[Any]] = field(default_factory=dict)

    def context(self, watcher: Watcher) -> Context:
        return Context(Options(Path(), "session"), watcher)

    def is_wanted(self, job: Job[Any]) -> bool:
        return True

    def refuse_to_begin(self, job: Job[Any]) -> None: ...

    def job_done(self, job: Job[Any], result: Any) -> None:
        self.results[job.key] = result

    def job_failed(self, job: Job[Any], error: ModelCompareError) -> None:
        self.errors[job.key] = error

    def job(
        self,
        key: str,
        needs: str = "",
        after: str = "",
        place: Place = Place.HERE,
        work: Callable[[Results], Any] = lambda _: None,
    ) -> None:
        def noted(context: Context, results: Results) -> Any:
            self.order.append(key)
            return work(results)

        its = tuple(self.jobs[one] for one in needs), tuple(self.jobs[one] for one in after)
        self.jobs[key] = Job(key, f"do {key}", Kind.OTHER, place, noted, *its)

    def run(self, stop: Callable[[], None] = lambda: None) -> None:
        run_jobs([Entry(job, self) for job in self.jobs.values()], Here(), Unwatched(), stop)


def refuse(results: Results) -> None:
    raise ModelError("no such model", where="bert", fix="name another")


def test_a_job_begins_when_what_it_needs_is_there_and_works_on_it():
    world = World()
    world.job("a", work=lambda _: 2)
    world.job("b", needs="a", work=lambda results: results["a"] + 1)
    world.jobs = {key: world.jobs[key] for key in "ba"}  # whatever the order they were planned in
    world.run()
    assert world.order == ["a", "b"]
    assert world.results["b"] == 3


def test_what_fails_is_told_once_and_what_needs_it_says_what_it_waited_for():
    world = World()
    world.job("a", work=refuse)
    world.job("b", needs="a")
    world.job("c", after="a")
    world.job("d")
    world.run()
    assert {key: str(error) for key, error in world.errors.items()} == {
        "a": "bert: no such model\n  name another",
        "b": "bert: it waited for `do a`, which failed: no such model\n  name another",
    }
    assert world.order == ["a", "c", "d"]


def test_timings_run_after_all_else_and_alone():
    world = World()
    world.job("time", place=Place.ALONE)
    world.job("ask", place=Place.API)
    world.job("train")
    world.run()
    assert world.order[-1] == "time"


def test_services_are_asked_beside_trainings():
    world, meet = World(), threading.Barrier(2)
    world.job("ask", place=Place.API, work=lambda _: meet.wait(10))
    world.job("train", work=lambda _: meet.wait(10))  # breaks where one waits for the other
    world.run()
    assert sorted(world.order) == ["ask", "train"]


def test_an_interrupt_stops_the_asking_and_what_is_finished_stays():
    world, stopped = World(), threading.Event()

    def interrupt(results: Results) -> None:
        raise KeyboardInterrupt

    world.job("t", work=lambda _: 1)
    world.job("a", place=Place.API, after="t", work=lambda _: stopped.wait(10))
    world.job("n", needs="t", work=interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.run(stopped.set)
    assert stopped.is_set()
    assert world.results["t"] == 1


def test_an_interrupt_while_only_services_are_waited_for_stops_the_asking():
    world, stopped = World(), threading.Event()

    def ask(results: Results) -> bool:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # as Ctrl-C
        return stopped.wait(10)

    world.job("a", place=Place.API, work=ask)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.run(stopped.set)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert stopped.is_set()


@dataclass
class Elsewhere:
    """Ends the jobs that it takes when it is told to."""

    names: str
    futures: dict[str, Future[Any]] = field(default_factory=dict)

    def takes(self, job: Job[Any]) -> bool:
        return job.key in self.names

    def has_room(self, job: Job[Any]) -> bool:
        return True

    def submit(self, job: Job[Any], context: Context, results: Results, *, more: bool) -> Future[Any]:
        self.futures[job.key] = future = Future[Any]()
        threading.Timer(0.3, lambda: future.set_result(job.work(context, results))).start()
        return future

    def close(self) -> None: ...


def test_what_an_executor_does_not_take_has_the_device_to_itself():
    world, executor = World(), Elsewhere("ab")
    for key in "acb":
        world.job(key, place=Place.DEVICE)
    run_jobs([Entry(job, world) for job in world.jobs.values()], executor, Unwatched(), lambda: None)
    assert world.order[-1] == "c"
    assert sorted(world.order) == ["a", "b", "c"]


SUITE = """\
modelcompare: 1
data: {train: train.csv, test: test.csv, validation: 0.2}
contestants:
  words: {tfidf: {}, sweep: {C: [0.1, 1]}}
  plain: {tfidf: {}, C: 1}
gates:
  - words.accuracy >= 0.1
  - plain.accuracy >= 0.1
"""


@pytest.fixture
def session(tmp_path: Path) -> Callable[[str], Comparison]:
    write(tmp_path / "train.csv", ["text", "label"], [*rows(SPAM, "spam", 0, 40), *rows(HAM, "ham", 0, 40)])
    write(tmp_path / "test.csv", ["text", "label"], [*rows(SPAM, "spam", 40, 10), *rows(HAM, "ham", 40, 10)])
    path = tmp_path / "s.modelcompare.yaml"
    path.write_text(SUITE)

    def begun(name: str) -> Comparison:
        return Comparison(load_suite(path), Options(tmp_path / "store", name, "cpu"), Ledger())

    return begun


def planned(comparison: Comparison) -> dict[str, bool]:
    """By key, whether a plan calls it stored."""
    plan_jobs(comparison, comparison.needs(comparison.suite.gates), strictly=True)
    return {job.key: job.stored for job in comparison.graph.required()}


def test_the_jobs_of_a_plan_are_those_that_run_and_what_it_called_stored_is_not_made(session):
    for name in ("first", "second"):
        plan = planned(session(f"{name} plan"))
        comparison = session(name)
        prepare([(comparison, comparison.needs(comparison.suite.gates))], Unwatched())
        assert not comparison.failures
        assert set(comparison.results) == set(plan)
        made = {run.fingerprint for runs in comparison.runs.values() for run in runs if run.session == name}
        assert made == {key for key, stored in plan.items() if not stored and key in made}
        runs = {run.fingerprint for found in comparison.runs.values() for run in found}
        assert {key for key in runs if plan[key]} == runs - made


def test_equal_trainings_of_two_contestants_are_one_job(session):
    comparison = session("once")
    planned(comparison)
    of = comparison.graph.contestants
    assert of["words[C=1]"].results[0].key == of["plain"].results[0].key
    assert sum(job.kind is Kind.TRAIN for job in comparison.graph.required()) == 2
