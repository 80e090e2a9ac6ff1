"""Trainings in processes of their own, as on a GPU, and what decides whether there are such."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.execution import prepare as preparing
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.executors import executor_named, installed_executors, processes
from pytest_modelcompare.execution.executors.here import Here
from pytest_modelcompare.execution.executors.processes import WorkerProcess
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.prepare import executor_for, prepare, times_training
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched, Watcher
from pytest_modelcompare.suite.load import load_suite


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


@pytest.fixture(scope="module")
def small_bert_and_rows(tmp_path_factory):
    from tests.methods.small_models import small_bert

    return small_bert(tmp_path_factory.mktemp("bert"))


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
    from tests.pytest_plugin.conftest import HAM, SPAM, rows, write

    write(tmp_path / "train.csv", ["text", "label"], [*rows(SPAM, "spam", 0, 20), *rows(HAM, "ham", 0, 20)])
    write(tmp_path / "test.csv", ["text", "label"], [*rows(SPAM, "spam", 20, 10), *rows(HAM, "ham", 20, 10)])
    path = tmp_path / "s.modelcompare.yaml"
    path.write_text(SUITE.format(model=small_bert_and_rows))

    def made(store: str, **options: Any) -> Comparison:
        return Comparison(load_suite(path), Options(tmp_path / store, "session", device="cpu", **options), Ledger())

    return made


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes on a CPU, two at once whatever the memory."""
    monkeypatch.setattr(processes, "ByMemory", AtMost)


def prepared(comparison: Comparison, watcher: Watcher | None = None) -> Comparison:
    prepare([(comparison, comparison.everything())], watcher or Unwatched())
    return comparison


@pytest.mark.slow
def test_other_processes_make_the_same_runs(comparison_in, two_at_once):
    beside = prepared(comparison_in("beside", jobs_at_once=2, executor="processes"))
    alone = prepared(comparison_in("alone"))
    assert beside.ledger.spend.trainings == alone.ledger.spend.trainings == 2
    assert {name: str(error) for name, error in beside.failures.items()} == {
        name: str(error) for name, error in alone.failures.items()
    }
    for ours, theirs in zip(beside.runs["bert"], alone.runs["bert"], strict=True):
        assert np.array_equal(ours.outcome.predictions.scores, theirs.outcome.predictions.scores)
        assert ours.seed == theirs.seed
        assert ours.outcome.shared_device
        assert not theirs.outcome.shared_device


@pytest.mark.slow
def test_a_training_whose_process_dies_is_made_alone(comparison_in, two_at_once, monkeypatch):
    killed: list[str] = []

    class Deadly(WorkerProcess):
        def run(self, order, key, admission, watcher):
            if not killed:
                killed.append(order.title)
                os.kill(self.process.pid, signal.SIGKILL)
            return super().run(order, key, admission, watcher)

    monkeypatch.setattr(processes, "WorkerProcess", Deadly)
    comparison = prepared(comparison_in("store", jobs_at_once=2, executor="processes"))
    shared = {run.seed: run.outcome.shared_device for run in comparison.runs["bert"]}
    assert killed == ["bert: train, seed 1"]
    assert shared == {1: False, 2: True}
    assert comparison.ledger.spend.trainings == 2


@pytest.mark.slow
def test_a_process_goes_with_its_master_and_leaves_no_half_run(comparison_in, two_at_once):
    class Impatient(Unwatched):
        def job(self, title):
            raise KeyboardInterrupt

    comparison = comparison_in("store", jobs_at_once=2, executor="processes")
    with pytest.raises(KeyboardInterrupt):
        prepared(comparison, Impatient())
    scratch = comparison.folders.root / "scratch"
    assert not scratch.exists() or not list(scratch.iterdir())


def test_no_process_is_started_for_a_gpu_that_torch_cannot_use(comparison_in, monkeypatch):
    comparison = comparison_in("store")
    monkeypatch.setattr(Comparison, "device_kind", property(lambda _: "cuda"))
    monkeypatch.setattr(preparing, "cuda_refusal", lambda: "the driver is too old")
    assert isinstance(executor_for([(comparison, comparison.everything())]), Here)


def test_on_a_cpu_trainings_run_here_one_after_the_other(comparison_in):
    comparison = comparison_in("store")
    assert isinstance(executor_for([(comparison, comparison.everything())]), Here)


def test_a_gate_on_how_long_training_takes_has_each_trained_alone(tmp_path):
    path = tmp_path / "s.modelcompare.yaml"
    suite = "modelcompare: 1\ndata: {train: a.csv, test: b.csv}\ncontestants: {a: {tfidf: {}}, b: {tfidf: {}}}\n"

    def needs_of(gate: str) -> Any:
        path.write_text(f"{suite}gates:\n  - {gate}\n")
        comparison = Comparison(load_suite(path), Options(tmp_path, "session"), Ledger())
        return comparison.needs(comparison.suite.gates)

    assert times_training(needs_of("a.train_seconds <= 60"))
    assert not times_training(needs_of("a.size_mb <= 60"))
    assert not times_training(needs_of("a.accuracy >= 0.5"))


def test_what_is_installed_is_listed_and_an_unknown_executor_refused(tmp_path):
    assert list(installed_executors())[:2] == ["here", "processes"]
    with pytest.raises(Exception, match="there is no executor `moon`\n  installed are here, processes"):
        executor_named("moon", Options(tmp_path, "session"), 1)
