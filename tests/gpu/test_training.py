"""Training without padding, in recorded steps and several at once, on a CUDA device; skips without one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.conftest import World, equal_weights, recipe, world  # noqa: F401  # fixtures

pytestmark = pytest.mark.gpu

KNOWN = ["bert", "roberta", "electra", "distilbert", "albert"]


@pytest.fixture(autouse=True)
def torch():
    found = pytest.importorskip("torch")
    if not found.cuda.is_available():
        pytest.skip("needs a CUDA device")
    return found


@pytest.fixture
def device(torch):
    from pytest_modelcompare.inference.device import choose_device

    return choose_device("cuda", "auto")


@pytest.fixture
def counted(monkeypatch):
    """How many works were recorded and replayed."""
    from pytest_modelcompare.training.cuda import graphs

    counts = {"recorded": 0, "replayed": 0}

    class Counting(graphs.CudaGraphs):
        def __call__(self, work):
            replay = super().__call__(work)
            counts["recorded"] += 1

            def counting():
                counts["replayed"] += 1
                return replay()

            return counting

    monkeypatch.setitem(graphs.RECORDERS, "cuda", Counting)
    return counts


@pytest.fixture
def trained(torch, world: type[World], recipe, device):  # noqa: F811
    from pytest_modelcompare.training.loop import train
    from pytest_modelcompare.training.seeding import seeded_randomness

    def train_one(kind, dropout=0.0, watch=lambda _: None, **changes):
        with seeded_randomness(3, "cuda"):
            model = world(kind).model().cuda()
            for module in model.modules():
                if isinstance(module, torch.nn.Dropout):
                    module.p = dropout
            found = train(model, *world(kind).material(), device, recipe(**changes), watch)
        return model.cpu(), found

    return train_one


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_the_kernel_is_right(torch, width, half):
    from pytest_modelcompare.training.cuda.varlen import flash_attention, kernel_is_right

    assert kernel_is_right(flash_attention, 4, width, "cuda", getattr(torch, half), 0.1)


@pytest.mark.parametrize("kind", KNOWN)
def test_known_models_are_trained_without_padding_in_recorded_steps(trained, counted, kind):
    from pytest_modelcompare.training.recipe import Techniques

    plain = Techniques(unpadded=False, buckets=False, first_position=False, fused=False, graphs=False)
    _, ours = trained(kind, epochs=10)
    assert ours.notes == ()
    # 40 steps of one or two shapes; those that are met first are taken as usual
    assert counted["recorded"] >= 2
    assert counted["replayed"] >= 36
    _, theirs = trained(kind, epochs=10, techniques=plain)
    assert ours.loss == pytest.approx(theirs.loss, abs=0.03)


def test_a_seed_gives_the_same_weights_with_dropout_and_recorded_steps(trained, equal_weights):  # noqa: F811
    assert equal_weights(trained("bert", 0.1)[0], trained("bert", 0.1)[0])


def test_every_replay_drops_something_else(trained, counted):
    seen: list[Any] = []
    # one step an epoch with the same rows, at a rate that changes nothing
    trained("bert", 0.5, seen.append, epochs=12, batch_size=32, learning_rate=1e-12)
    assert counted["replayed"] >= 10
    assert len({step.note.split(",")[1] for step in seen[2:]}) > 3


def test_a_failed_recording_leaves_the_device_usable(torch, trained, monkeypatch):
    from pytest_modelcompare.training import step

    whole_step = step.Stepper.whole_step

    def waiting(self, batch, labels, weights):
        loss = whole_step(self, batch, labels, weights)
        loss.item()  # waits for the device, which a recording may not
        return loss

    monkeypatch.setattr(step.Stepper, "whole_step", waiting)
    _, found = trained("bert", 0.1)
    assert found.notes[0].startswith("steps were not recorded as CUDA graphs")
    assert np.isfinite(found.loss)


SUITE = """\
modelcompare: 1
data: {{train: train.csv, test: test.csv}}
references: false
contestants:
  bert: {{fine_tune: {model}, seeds: [1, 2, 3], epochs: 4, max_length: 16, batch_size: 8, learning_rate: 0.001}}
gates: [bert.accuracy >= 0]
"""


@pytest.mark.slow
def test_seeds_are_trained_side_by_side_as_they_are_alone(tmp_path, monkeypatch):
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.execution.ledger import Ledger
    from pytest_modelcompare.execution.prepare import prepare
    from pytest_modelcompare.records.options import Options
    from pytest_modelcompare.records.progress import Unwatched
    from pytest_modelcompare.suite.load import load_suite
    from tests.methods.small_models import small_bert
    from tests.pytest_plugin.conftest import HAM, SPAM, rows, write

    model = small_bert(tmp_path / "model")
    write(tmp_path / "train.csv", ["text", "label"], [*rows(SPAM, "spam", 0, 200), *rows(HAM, "ham", 0, 200)])
    write(tmp_path / "test.csv", ["text", "label"], [*rows(SPAM, "spam", 200, 50), *rows(HAM, "ham", 200, 50)])
    path = tmp_path / "s.modelcompare.yaml"
    path.write_text(SUITE.format(model=model))

    def made(name, at_once):
        options = Options(tmp_path / name, "session", device="cuda", jobs_at_once=at_once)
        comparison = Comparison(load_suite(path), options, Ledger())
        prepare([(comparison, comparison.everything())], Unwatched())
        assert not comparison.failures
        return comparison.runs["bert"]

    for ours, theirs in zip(made("beside", None), made("alone", 1), strict=True):
        assert ours.outcome.shared_device
        assert not theirs.outcome.shared_device
        assert np.array_equal(ours.outcome.predictions.scores, theirs.outcome.predictions.scores)
