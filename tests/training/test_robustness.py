"""A training that is disturbed ends as one that is not, or says why."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from pytest_modelcompare.errors import DataError, ModelError
from pytest_modelcompare.records import Device
from pytest_modelcompare.training import checkpoint
from pytest_modelcompare.training.loop import train
from pytest_modelcompare.training.losses import classification_losses
from pytest_modelcompare.training.recipe import Extras, NotFiniteError, Techniques, Validation
from pytest_modelcompare.training.seeding import seeded_randomness
from tests.training.conftest import World

FP32 = Device("cpu", "fp32", "a test")


class KilledError(Exception):
    """Stands for whatever ends a process."""


def interrupt_at(step):
    def watch(progress):
        if progress.done == step:
            raise KilledError

    return watch


@pytest.fixture
def run(world: type[World], recipe, tmp_path):
    def run_one(watch=lambda _: None, checkpoints=None, precision="fp32", validation=False, **changes):
        encoder, encoded, labels = world("bert").material()
        rows = Validation(encoded, labels) if validation else None
        with seeded_randomness(3, "cpu"):
            model = world("bert").model()
            extras = Extras(None, rows, checkpoints, checkpoint_seconds=0.0)
            found = train(
                model, encoder, encoded, labels, Device("cpu", precision, ""), recipe(**changes), watch, extras=extras
            )
        return model, found

    return run_one


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("step", [1, 4, 7])  # in the first epoch, at its end, in the second
def test_an_interrupted_training_ends_with_the_same_weights(run, equal_weights, tmp_path, step, precision):
    unbroken, _ = run(precision=precision)
    with pytest.raises(KilledError):
        run(interrupt_at(step), tmp_path, precision)
    resumed, found = run(checkpoints=tmp_path, precision=precision)
    assert equal_weights(unbroken, resumed)
    assert found.notes == (f"went on from a checkpoint at step {step} of 8",)
    assert found.seconds_before > 0


def test_early_stopping_goes_on_too(run, equal_weights, tmp_path):
    changes = {"epochs": 12, "early_stopping": 1, "learning_rate": 0.03, "validation": True}
    unbroken, whole = run(**changes)
    with pytest.raises(KilledError):
        run(interrupt_at(6), tmp_path, **changes)
    resumed, found = run(checkpoints=tmp_path, **changes)
    assert equal_weights(unbroken, resumed)
    assert found.notes[1:] == whole.notes


def test_a_checkpoint_of_another_recipe_or_precision_is_not_taken(run, tmp_path):
    with pytest.raises(KilledError):
        run(interrupt_at(3), tmp_path)
    assert run(checkpoints=tmp_path, learning_rate=2e-3)[1].notes == ()
    with pytest.raises(KilledError):
        run(interrupt_at(3), tmp_path)
    assert run(checkpoints=tmp_path, precision="bf16")[1].notes == ()


def test_a_damaged_checkpoint_is_not_taken(run, equal_weights, tmp_path):
    with pytest.raises(KilledError):
        run(interrupt_at(3), tmp_path)
    path = tmp_path / checkpoint.NAME
    path.write_bytes(path.read_bytes()[:1000])
    resumed, found = run(checkpoints=tmp_path)
    assert found.notes == ()
    assert equal_weights(run()[0], resumed)


def test_a_full_disk_stops_cleanly_and_keeps_the_last_checkpoint(run, equal_weights, tmp_path, monkeypatch):
    import safetensors.torch

    def full(tensors, path, metadata):
        path.write_bytes(b"half a checkpoint")
        raise OSError(28, "No space left on device")

    with pytest.raises(KilledError):
        run(interrupt_at(3), tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(safetensors.torch, "save_file", full)
        with pytest.raises(OSError, match="No space left"):
            run(checkpoints=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]
    resumed, found = run(checkpoints=tmp_path)
    assert found.notes == ("went on from a checkpoint at step 3 of 8",)
    assert equal_weights(run()[0], resumed)


def test_without_memory_the_micro_batch_is_halved_and_the_step_stays_whole(world: type[World], recipe, equal_weights):
    fits = 64  # tokens, padding included

    def losses_of(model, batch, labels):
        if batch["input_ids"].numel() > fits:
            raise torch.OutOfMemoryError("out of memory")
        return classification_losses(model, batch, labels)

    for techniques in (Techniques(), Techniques(unpadded=False), Techniques(unpadded=False, buckets=False)):
        models = []
        for losses in (classification_losses, losses_of):
            model = world("bert").model().train()
            for module in model.modules():
                if isinstance(module, torch.nn.Dropout):
                    module.p = 0.0
            models.append(model)
            found = train(model, *world("bert").material(), FP32, recipe(techniques=techniques), losses_of=losses)
        assert found.notes
        assert all("out of memory: from then on at most" in note for note in found.notes)
        assert equal_weights(*models, atol=2e-5)


def test_a_cpus_allocator_is_understood(world: type[World], recipe):
    failures = itertools.count()

    def losses_of(model, batch, labels):
        if next(failures) == 0:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")
        return classification_losses(model, batch, labels)

    found = train(world("bert").model(), *world("bert").material(), FP32, recipe(), losses_of=losses_of)
    assert len(found.notes) == 1


def test_a_single_row_too_large_is_an_error(world: type[World], recipe):
    def losses_of(model, batch, labels):
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(ModelError, match="out of memory with a single row"):
        train(world("bert").model(), *world("bert").material(), FP32, recipe(), losses_of=losses_of)


def test_another_error_is_not_taken_for_lack_of_memory(world: type[World], recipe):
    def losses_of(model, batch, labels):
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        train(world("bert").model(), *world("bert").material(), FP32, recipe(), losses_of=losses_of)


def test_without_memory_validation_is_cut_smaller_too(world: type[World], recipe):
    encoder, encoded, labels = world("bert").material()

    def losses_of(model, batch, labels):
        if not model.training and batch["input_ids"].numel() > 40:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")
        return classification_losses(model, batch, labels)

    found = [
        train(
            world("bert").model(), encoder, encoded, labels, FP32, recipe(early_stopping=2),
            losses_of=losses, extras=Extras(None, Validation(encoded, labels)),
        ).notes[0]
        for losses in (classification_losses, losses_of)
    ]  # fmt: skip
    assert found[0] == found[1]  # the same validation loss


def test_gradients_that_are_no_numbers_in_the_last_step_stop_too(world: type[World], recipe):
    steps = itertools.count(1)

    def losses_of(model, batch, labels):
        losses = classification_losses(model, batch, labels)
        if next(steps) == 4:
            losses.register_hook(lambda gradient: gradient * float("nan"))
        return losses

    with pytest.raises(NotFiniteError, match="the weights are no numbers after the last step"):
        train(world("bert").model(), *world("bert").material(), FP32, recipe(max_steps=4), losses_of=losses_of)


def test_a_loss_that_is_no_number_stops(world: type[World], recipe):
    def losses_of(model, batch, labels):
        return classification_losses(model, batch, labels) * float("nan")

    with pytest.raises(NotFiniteError, match="loss is nan at step 1"):
        train(world("bert").model(), *world("bert").material(), FP32, recipe(), losses_of=losses_of)


def test_training_stops_when_validation_gets_no_better_and_keeps_the_best(run, world: type[World], recipe):
    # labels against which nothing can be learnt: the more the model learns, the worse it gets
    encoder, encoded, labels = world("bert").material()
    wrong = Validation(encoded, np.asarray((labels + 1) % 3))
    changes = {"epochs": 10, "early_stopping": 2, "learning_rate": 3e-3}
    with seeded_randomness(3, "cpu"):
        model = world("bert").model()
        found = train(model, encoder, encoded, labels, FP32, recipe(**changes), extras=Extras(None, wrong))
    assert found.steps < 40
    epoch = found.steps // 4
    assert found.notes[0].startswith(
        f"stopped early, after epoch {epoch} of 10; kept the weights after epoch {epoch - 2} "
    )


def test_early_stopping_without_validation_rows_is_an_error(world: type[World], recipe):
    with pytest.raises(DataError, match="early stopping needs validation rows"):
        train(world("bert").model(), *world("bert").material(), FP32, recipe(early_stopping=1))


def test_every_epoch_is_worth_a_line_with_loss_and_speed(run):
    seen: list[Any] = []
    run(seen.append)
    lines = [step.note for step in seen if step.milestone]
    assert [line.split(",")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert all(" loss " in line and line.endswith(" rows/s") for line in lines)
