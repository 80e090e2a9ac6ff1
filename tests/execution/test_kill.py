"""A training that is killed, with SIGKILL, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import os, signal, sys
from pathlib import Path

from tests.methods.small_models import small_work

from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.local import make_run, run_orders
from pytest_modelcompare.records.jobs import Context
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.runs import RunStore
from pytest_modelcompare.training import checkpoint, recipe

store, model, when = sys.argv[1:]
init = recipe.Extras.__init__
recipe.Extras.__init__ = lambda self, *given, **named: init(self, *given, checkpoint_seconds=0.0, **named)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def watch(progress):
    if when == f"step {{progress.done}}" and "loss" in progress.note:
        die()
    if when == "predicting" and progress.note == "predict":
        die()

written = 0
write = Path.replace
def replace(self, target):
    global written
    written += self.name.startswith(checkpoint.NAME)
    if when == "writing" and written == 5:  # the fifth is written, and not yet in its place
        die()
    return write(self, target)
Path.replace = replace

settings = FineTuneSettings(model=model, epochs=3, batch_size=8, learning_rate=3e-3, precision={precision!r})
spec = ContestantSpec("bert", "fine_tune", settings, (42,))
work = small_work(Path(store) / "suite")
(order,) = run_orders(spec, FineTune(), work.dataset, work.base)
runs = RunStore(StoreFolders(Path(store) / "store"))
obtained = make_run(order, runs, Context(Options(Path(store) / "store", "session", device="cpu")), watch)
print(obtained.is_made, *obtained.run.outcome.notes, sep="\\n")
"""


def train(store: Path, model: Path, when: str, precision: str) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(precision=precision)
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    return subprocess.run(
        [sys.executable, "-c", script, str(store), str(model), when],
        capture_output=True, text=True, check=False, env=environment, cwd=ROOT,
    )  # fmt: skip


def kept(store: Path) -> bytes:
    (weights,) = (store / "store" / "runs").rglob("model.safetensors")
    return weights.read_bytes()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from tests.methods.small_models import small_bert

    return small_bert(tmp_path_factory.mktemp("bert"))


@pytest.mark.slow
def test_a_training_killed_again_and_again_ends_with_the_weights_of_an_unbroken_one(model, tmp_path):
    unbroken = train(tmp_path / "whole", model, "never", "bf16")
    assert unbroken.returncode == 0, unbroken.stderr
    assert "went on" not in unbroken.stdout
    for when in ("step 2", "writing", "step 11", "predicting"):
        assert train(tmp_path / "killed", model, when, "bf16").returncode == -signal.SIGKILL
        assert any((tmp_path / "killed" / "store" / "checkpoints").rglob("*.safetensors"))
    resumed = train(tmp_path / "killed", model, "never", "bf16")
    assert resumed.returncode == 0, resumed.stderr
    assert "went on from a checkpoint at step 11 of 12" in resumed.stdout
    assert kept(tmp_path / "killed") == kept(tmp_path / "whole")
    assert not list((tmp_path / "killed" / "store" / "checkpoints").iterdir())
    assert not [path for path in (tmp_path / "killed" / "store" / "scratch").iterdir() if path.is_dir()]
    again = train(tmp_path / "killed", model, "never", "bf16")
    assert again.stdout.startswith("False")  # stored: nothing is trained
