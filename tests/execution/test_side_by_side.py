"""Several trainings at once: what begins when, and what becomes of each."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.execution import side_by_side
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.job_pool import run_all
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.local import LocalJob
from pytest_modelcompare.execution.options import Options
from pytest_modelcompare.execution.orders import SHARED_NOTE, Ended, Failure, Tidings
from pytest_modelcompare.execution.prepare import load, prepare
from pytest_modelcompare.execution.side_by_side import times_training
from pytest_modelcompare.execution.watch import Unwatched
from pytest_modelcompare.execution.worker_process import WorkerProcess
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.registry import LOCAL
from pytest_modelcompare.methods.tfidf import TfidfSettings
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.records.progress import Progress
from pytest_modelcompare.suite.load import load_suite

NOTHING = Rows(("a",), np.array([0]), ("0",))


def job(name):
    spec = ContestantSpec(name, "tfidf", TfidfSettings())
    return LocalJob(spec, LOCAL["tfidf"], 0, name, Dataset(("x",), {}, NOTHING, None, NOTHING, ""))


@dataclass
class AtMost:
    """Admits as many as it is told."""

    most: int
    running: set[str] = field(default_factory=set)
    at_once: int = 0

    def admits(self, kind):
        return len(self.running) < self.most

    def begin(self, job, kind):
        self.running.add(job)
        self.at_once = max(self.at_once, len(self.running))

    def heard(self, job, tidings):
        assert job in self.running

    def end(self, job):
        self.running.remove(job)


@dataclass
class Office:
    """Runners that end their jobs as a script says, and count."""

    script: dict[str, Ended] = field(default_factory=dict)
    meet: threading.Barrier | None = None
    started: int = 0
    closed: int = 0
    dead: set[str] = field(default_factory=set)

    def start(self):
        self.started += 1
        office = self

        class Runner:
            is_there = True

            def run(self, job, tell):
                tell(Tidings(Progress(1, 1)))
                if office.meet is not None:
                    office.meet.wait(10)
                self.is_there = job.spec.name not in office.dead
                return office.script.get(job.spec.name, Ended("made"))

            def end(self):
                pass

            def close(self):
                office.closed += 1

        return Runner()


def all_of(office, names, most=2, late=lambda: False, admission=None):
    return run_all([job(name) for name in names], office.start, admission or AtMost(most), most, Unwatched(), late)


def test_as_many_run_at_once_as_are_admitted_and_every_runner_is_closed():
    # nobody ends before two have begun: the barrier breaks if one is alone
    office, admission = Office(meet=threading.Barrier(2)), AtMost(2)
    found = all_of(office, "abcd", admission=admission)
    assert [found[name].how for name in "abcd"] == ["made"] * 4
    assert admission.at_once == 2
    assert office.started == office.closed == 2


def test_one_at_a_time_needs_no_second_runner():
    office = Office()
    assert len(all_of(office, "abc", most=1)) == 3
    assert office.started == 1


def test_what_fails_or_is_left_does_not_stop_the_others():
    failure = Failure.of(ModelError("no such model", where="bert", fix="name another"))
    office = Office({"a": Ended("failed", failure), "b": Ended("left")}, dead={"b"})
    found = all_of(office, "abc", most=1)
    assert [found[name].how for name in "abc"] == ["failed", "left", "made"]
    assert str(found["a"].failure.error()) == "bert: no such model\n  name another"
    assert office.started == office.closed == 2  # b's runner was gone


def test_nothing_begins_when_the_minutes_are_over():
    moments = iter([False, False, True])
    found = all_of(Office(), "abc", most=1, late=lambda: next(moments, True))
    assert list(found) == ["a"]


def test_an_interrupt_ends_the_runners():
    class Interrupted(AtMost):
        def admits(self, kind):
            if self.running:
                raise KeyboardInterrupt
            return True

    office = Office()
    with pytest.raises(KeyboardInterrupt):
        all_of(office, "ab", admission=Interrupted(2))
    assert office.closed == office.started > 0


SUITE = """\
modelcompare: 1
data: {{train: train.csv, test: test.csv}}
references: false
contestants:
  bert: {{fine_tune: {model}, seeds: [1, 2], epochs: 1, max_length: 16, batch_size: 8, learning_rate: 0.001}}
  gone: {{fine_tune: {model}-that-is-not-there, epochs: 1}}
gates: [bert.accuracy >= 0]
"""


@pytest.fixture
def comparison_in(tmp_path, small_bert_and_rows):
    path = tmp_path / "s.modelcompare.yaml"
    path.write_text(SUITE.format(model=small_bert_and_rows))

    def made(store, **options):
        return Comparison(load_suite(path), Options(tmp_path / store, "session", device="cpu", **options), Ledger())

    return made


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Worker processes on a CPU, two at once whatever the memory."""
    monkeypatch.setattr(side_by_side, "DEVICES", frozenset({"cpu"}))
    monkeypatch.setattr(side_by_side, "ByMemory", AtMost)


def prepared(comparison, watcher=None):
    prepare([(comparison, comparison.everything())], watcher or Unwatched())
    return comparison


@pytest.mark.slow
def test_other_processes_make_the_same_runs(comparison_in, monkeypatch, as_on_a_gpu):
    beside = prepared(comparison_in("beside", jobs_at_once=2))
    monkeypatch.setattr(side_by_side, "DEVICES", frozenset())
    alone = prepared(comparison_in("alone"))
    assert beside.ledger.spend.trainings == alone.ledger.spend.trainings == 2
    assert {name: str(error) for name, error in beside.failures.items()} == {
        name: str(error) for name, error in alone.failures.items()
    }
    for ours, theirs in zip(beside.runs["bert"], alone.runs["bert"], strict=True):
        assert np.array_equal(ours.outcome.predictions.scores, theirs.outcome.predictions.scores)
        assert ours.seed == theirs.seed
        assert SHARED_NOTE in ours.outcome.notes
        assert SHARED_NOTE not in theirs.outcome.notes


@pytest.mark.slow
def test_a_training_whose_process_dies_is_made_alone(comparison_in, as_on_a_gpu, monkeypatch):
    killed: list[Any] = []

    class Deadly(WorkerProcess):
        def run(self, job, tell):
            if not killed:
                killed.append(job.seed)
                os.kill(self.process.pid, signal.SIGKILL)
            return super().run(job, tell)

    monkeypatch.setattr(side_by_side, "WorkerProcess", Deadly)
    comparison = prepared(comparison_in("store", jobs_at_once=2))
    notes = {run.seed: run.outcome.notes for run in comparison.runs["bert"]}
    assert killed == [1]
    assert SHARED_NOTE not in notes[1]
    assert SHARED_NOTE in notes[2]
    assert comparison.ledger.spend.trainings == 2


@pytest.mark.slow
def test_a_process_goes_with_its_master_and_leaves_no_half_run(comparison_in, as_on_a_gpu):
    class Impatient(Unwatched):
        def job(self, title):
            raise KeyboardInterrupt

    comparison = comparison_in("store", jobs_at_once=2)
    with pytest.raises(KeyboardInterrupt):
        prepared(comparison, Impatient())
    scratch = comparison.folders.root / "scratch"
    assert not scratch.exists() or not list(scratch.iterdir())


def test_no_process_is_started_for_a_gpu_that_torch_cannot_use(comparison_in, monkeypatch):
    comparison = comparison_in("store")
    load(comparison)
    monkeypatch.setattr(side_by_side, "WorkerProcess", lambda *_: pytest.fail("started"))
    monkeypatch.setattr(Comparison, "device_kind", property(lambda _: "cuda"))
    monkeypatch.setattr(side_by_side, "cuda_refusal", lambda: "the driver is too old")
    needs = comparison.everything()
    assert side_by_side.train_side_by_side(comparison, needs, Unwatched(), 0.0) == frozenset()


def test_a_gate_on_how_long_training_takes_has_each_trained_alone(tmp_path):
    path = tmp_path / "s.modelcompare.yaml"
    suite = "modelcompare: 1\ndata: {train: a.csv, test: b.csv}\ncontestants: {a: {tfidf: {}}, b: {tfidf: {}}}\n"

    def needs_of(gate):
        path.write_text(f"{suite}gates:\n  - {gate}\n")
        comparison = Comparison(load_suite(path), Options(tmp_path, "session"), Ledger())
        return comparison.needs(comparison.suite.gates)

    assert times_training(needs_of("a.train_seconds <= 60"))
    assert not times_training(needs_of("a.size_mb <= 60"))
    assert not times_training(needs_of("a.accuracy >= 0.5"))


def test_on_a_cpu_no_process_is_started(comparison_in, monkeypatch):
    def never(*given):
        raise AssertionError

    monkeypatch.setattr(side_by_side, "run_all", never)
    assert prepared(comparison_in("store")).ledger.spend.trainings == 2
