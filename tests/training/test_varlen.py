"""What CUDA does without padding and in recorded steps, here with stand-ins that a CPU can run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pytest_modelcompare.records import Device
from pytest_modelcompare.training import layouts, step
from pytest_modelcompare.training.cuda import graphs, varlen
from pytest_modelcompare.training.cuda.varlen import (
    Shape,
    Varlen,
    flash_attention,
    kernel_is_right,
    lay_out_rows,
    longest_row,
    row_by_row,
    shape_for,
)
from pytest_modelcompare.training.layouts import Padded, layout_for
from pytest_modelcompare.training.loop import train
from pytest_modelcompare.training.recipe import Extras, Techniques
from tests.training.conftest import World

FP32 = Device("cpu", "fp32", "a test")
PLAIN = Techniques(
    unpadded=False, buckets=False, first_position=False, fast_dropout=False, fused=False, graphs=False
)  # fmt: skip
KNOWN = ["bert", "roberta", "electra", "distilbert", "albert"]


class Recorder:
    """Records by keeping the work, replays by doing it again."""

    def __init__(self):
        self.recorded, self.replayed = 0, 0

    def __call__(self, work):
        self.recorded += 1

        def replay():
            self.replayed += 1
            return work()

        return replay


@pytest.fixture
def as_on_cuda(monkeypatch):
    def with_stand_ins(kernel=row_by_row, recorder=None):
        monkeypatch.setitem(layouts.KERNELS, "cpu", kernel)
        if recorder is not None:
            monkeypatch.setitem(graphs.RECORDERS, "cpu", lambda: recorder)

    return with_stand_ins


@pytest.fixture
def trained(world: type[World], recipe):
    def train_one(kind, techniques, weights=None, n=30, **changes):
        model = world(kind).model()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        extras = Extras(None if weights is None else weights[:n])
        found = train(model, *world(kind).material(n), FP32, recipe(techniques=techniques, **changes), extras=extras)
        return model, found

    return train_one


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize("first_position", [True, False])
def test_rows_of_any_length_change_nothing_but_rounding(as_on_cuda, trained, equal_weights, kind, first_position):
    as_on_cuda()
    ours = replace(PLAIN, unpadded=True, first_position=first_position)
    assert equal_weights(trained(kind, ours)[0], trained(kind, PLAIN)[0], atol=2e-5)


@pytest.mark.parametrize("kind", KNOWN)
def test_recorded_steps_change_nothing_but_rounding(as_on_cuda, trained, equal_weights, kind):
    recorder = Recorder()
    as_on_cuda(recorder=recorder)
    weights = np.linspace(0.5, 2, 30).astype(np.float32)
    model, found = trained(kind, Techniques(), weights)
    # 30 rows are 8 + 8 + 8 + 6, twice, some 80 tokens each: one shape, whose first step is taken as usual;
    # besides, one loss was recorded and replayed to see that it is the loss of the rows that are there
    assert found.steps == 8
    assert (recorder.recorded, recorder.replayed) == (2, 8)
    assert equal_weights(model, trained(kind, PLAIN, weights)[0], atol=2e-5)


@pytest.mark.parametrize("kind", KNOWN)
def test_no_mask_of_tokens_times_tokens_is_made(as_on_cuda, trained, kind, monkeypatch):
    # transformers 5.17 makes one while a step is recorded, where it cannot look whether it is needed
    from transformers import masking_utils

    monkeypatch.setattr(masking_utils, "_ignore_bidirectional_mask_sdpa", lambda *_, **__: False)
    recorder = Recorder()
    as_on_cuda(recorder=recorder)
    trained(kind, Techniques())
    assert recorder.replayed == 8


def test_recorded_steps_of_many_shapes_stand_between_usual_ones(as_on_cuda, trained, equal_weights, monkeypatch):
    recorder = Recorder()
    as_on_cuda(recorder=recorder)
    monkeypatch.setattr(varlen, "FINEST", 8)
    model, found = trained("bert", Techniques(), epochs=6)
    assert recorder.recorded > 3
    assert 4 < recorder.replayed < found.steps
    assert equal_weights(model, trained("bert", PLAIN, epochs=6)[0], atol=5e-5)


def test_a_step_of_several_micro_batches_is_not_recorded(as_on_cuda, trained, equal_weights, monkeypatch):
    recorder = Recorder()
    as_on_cuda(recorder=recorder)
    monkeypatch.setattr(step.Stepper, "budget", 20)
    monkeypatch.setattr(step.Stepper.__init__, "__defaults__", (20, *step.Stepper.__init__.__defaults__[1:]))
    model, _ = trained("bert", Techniques())
    assert recorder.recorded == 0
    assert equal_weights(model, trained("bert", PLAIN)[0], atol=2e-5)


def test_a_recording_that_does_not_see_new_rows_is_not_used(as_on_cuda, trained, equal_weights):
    def forgetful(work):
        result = work()
        return lambda: result

    as_on_cuda(recorder=forgetful)
    model, found = trained("bert", Techniques())
    assert found.notes == ("steps were not recorded as CUDA graphs: a replayed loss was not that of its rows",)
    assert equal_weights(model, trained("bert", PLAIN)[0], atol=2e-5)


def test_a_device_that_refuses_to_record_trains_as_usual(as_on_cuda, trained, equal_weights):
    def refusing(work):
        work()
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    as_on_cuda(recorder=refusing)
    model, found = trained("bert", Techniques())
    assert found.notes == (
        "steps were not recorded as CUDA graphs: CUDA error: operation not permitted when stream is capturing",
    )
    assert model.training  # with dropout
    assert equal_weights(model, trained("bert", PLAIN)[0], atol=2e-5)


def across_rows(query, key, value, asking, there, most_asking, most_there, dropout_p, scale):
    """Sees no boundaries."""
    every = torch.tensor([0, len(query)]), torch.tensor([0, len(key)])
    return row_by_row(query, key, value, *every, most_asking, most_there, dropout_p, scale)


def without_dropout(*given):
    *others, _, scale = given
    return row_by_row(*(*others, 0.0, scale))


def without_gradient(*given):
    return row_by_row(*given) + 0 * sum(one.sum() for one in given[:3]).detach() + given[0] - given[0].detach()


@pytest.mark.parametrize("kernel", [across_rows, without_dropout, without_gradient])
def test_a_wrong_kernel_is_found_out(as_on_cuda, world: type[World], kernel):
    assert kernel_is_right(row_by_row, 2, 16, "cpu", torch.bfloat16, 0.1)
    assert not kernel_is_right(kernel, 2, 16, "cpu", torch.bfloat16, 0.1)
    as_on_cuda(kernel)
    encoder, encoded, _ = world("bert").material()
    with layout_for(world("bert").model(), encoder, encoded, FP32, Techniques()) as (layout, _):
        assert isinstance(layout, Padded)


def test_trying_a_kernel_leaves_the_random_state_alone(as_on_cuda, world: type[World]):
    as_on_cuda()
    encoder, encoded, _ = world("bert").material()
    before = torch.random.get_rng_state()
    model = world("bert").model()  # sets the seed
    before = torch.random.get_rng_state()
    with layout_for(model, encoder, encoded, FP32, Techniques()) as (layout, _):
        assert isinstance(layout, Varlen)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_kernel_for_cuda_is_not_taken_where_it_cannot_run(as_on_cuda, world: type[World]):
    as_on_cuda(flash_attention)
    encoder, encoded, _ = world("bert").material()
    with layout_for(world("bert").model(), encoder, encoded, FP32, Techniques()) as (layout, _):
        assert isinstance(layout, Padded)


def test_shapes_are_few_and_hold_their_rows():
    # one more row than there are; 1,700 tokens and it: the next multiple of 128 (1/32 of 2,048 is less)
    assert shape_for(32, 32, 1_700) == Shape(33, 1_792)
    assert shape_for(32, 32, 1_792) == Shape(33, 1_920)
    # 20 rows that are missing have a token each: 1,773 + 20 + 1 > 1,792
    assert shape_for(12, 32, 1_773) == Shape(33, 1_920)
    # 1/32 of 16,384
    assert shape_for(256, 256, 12_000) == Shape(257, 12_288)


def test_a_shape_is_filled_with_rows_that_the_model_can_read(world: type[World]):
    _, encoded, _ = world("bert").material()
    rows = np.array([3, 1])
    shape = shape_for(2, 4, int(encoded.lengths[rows].sum()))
    found = lay_out_rows(encoded, rows, 2, shape)
    lengths = np.diff(found["ends"])
    assert len(found["input_ids"]) == len(found["position_ids"]) == lengths.sum() == shape.tokens
    assert lengths[:2].tolist() == encoded.lengths[rows].tolist()
    assert lengths[2:4].tolist() == [1, 1]
    assert lengths.max() <= longest_row(encoded.lengths, shape)
    assert found["position_ids"].max() <= 1 + encoded.lengths.max()


def test_without_memory_on_a_shared_device_the_training_waits(world: type[World], recipe):
    def losses_of(model, batch, labels):
        raise torch.OutOfMemoryError("out of memory")

    model, material, extras = world("bert").model(), world("bert").material(), Extras(shared_device=True)
    with pytest.raises(step.CrowdedError):
        train(model, *material, FP32, recipe(), losses_of=losses_of, extras=extras)
