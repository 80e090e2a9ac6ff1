"""The layer written out, against torch's own and against differences of the function."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pytest_modelcompare.training.cpu.fused_layer import FusedForward, fused_layers
from pytest_modelcompare.training.cpu.unpadded import pack_rows
from pytest_modelcompare.training.cpu.workspace import Workspace
from pytest_modelcompare.training.encoder_layers import layers_of, parts_of
from pytest_modelcompare.training.forward import Forward

LENGTHS = np.array([7, 6, 6, 2, 1])


@pytest.fixture
def fused(world):
    """A first layer in fp64 with half of everything dropped, and the mode it runs in."""

    def made(kind, p=0.5, dtype=torch.float64):
        model = world(kind).model().to(dtype)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = p
        layer = layers_of(model)[0]
        mode = Forward(fast_dropout=True)
        mode.packing = pack_rows(LENGTHS)
        return FusedForward(parts_of(model, layer), mode, Workspace(), layer.forward, first=True), layer

    return made


def states(dtype=torch.float64):
    return torch.randn(1, int(LENGTHS.sum()), 32, dtype=dtype, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_the_gradient_is_what_a_small_change_makes_of_the_output(fused, kind):
    # the masks are the seed's, so that the output is a smooth function of the states and weights
    forward, layer = fused(kind)
    weight = torch.randn(1, int(LENGTHS.sum()), 32, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    start = states().requires_grad_()

    def loss(of):
        torch.manual_seed(5)
        return (forward(of) * weight).sum()

    inputs = [start, *layer.parameters()]
    gradients = torch.autograd.grad(loss(start), inputs)
    assert len(inputs) == 17
    for given, gradient in zip(inputs, gradients, strict=True):
        direction = torch.randn(given.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        with torch.no_grad():
            given.add_(1e-6 * direction)
            above = loss(start)
            given.sub_(2e-6 * direction)
            below = loss(start)
            given.add_(1e-6 * direction)
        assert (gradient * direction).sum().item() == pytest.approx((above - below).item() / 2e-6, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("kind", ["bert", "roberta", "electra", "distilbert"])
def test_without_dropout_it_is_the_models_own_layer(fused, kind):
    forward, layer = fused(kind, p=0.0)
    with forward.mode:
        assert torch.allclose(forward(states()), layer(states()), atol=1e-12)


def test_dropout_drops_as_much_as_it_should_everywhere(fused):
    # the mean over many masks is nearer to the output without dropout than any single one
    forward, layer = fused("bert", p=0.1)
    torch.manual_seed(0)
    some = torch.stack([forward(states()) for _ in range(300)])
    layer.eval()
    off = [(one - forward(states())).abs().mean().item() for one in (some[0], some.mean(0))]
    assert off[1] < 0.25 * off[0]


def test_half_precision_is_near_to_fp32(fused):
    forward, _ = fused("bert", p=0.0, dtype=torch.float32)
    expected = forward(states(torch.float32))
    with torch.autocast("cpu", torch.bfloat16):
        found = forward(states(torch.float32))
    assert found.dtype == torch.float32
    assert 0 < (found - expected).abs().max().item() < 0.03


def test_steps_of_different_lengths_use_the_same_memory(fused):
    forward, _ = fused("bert")
    tops, highest = [], []
    for lengths in ([7, 6, 6, 2, 1], [9, 1], [7, 7], [3]):
        forward.mode.packing = pack_rows(np.array(lengths))
        forward(states()[:, : sum(lengths)].clone().requires_grad_()).sum().backward()
        tops.append(forward.work.top)
        highest.append(forward.work.highest)
    assert tops == [0, 0, 0, 0]
    assert highest[0] == highest[-1]  # that of the longest


def test_gradients_use_the_same_memory_and_add_up(fused):
    forward, layer = fused("bert", p=0.0)
    weight, places, totals = layer.output.dense.weight, set(), []
    for passes in (1, 2, 1):
        for _ in range(passes):
            forward(states()).square().sum().backward()
        places.add(weight.grad.data_ptr())
        totals.append(weight.grad.clone())
        layer.zero_grad(set_to_none=True)
    assert len(places) == 1
    assert torch.equal(totals[0], totals[2])
    assert torch.allclose(2 * totals[0], totals[1], rtol=1e-12)


def test_without_gradients_nothing_is_kept(fused):
    forward, _ = fused("bert")
    with torch.no_grad():
        forward(states())
    assert forward.work.top == 0


def test_an_activation_that_is_not_written_out_is_left_to_the_model(world):
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = BertForSequenceClassification(BertConfig(vocab_size=20, hidden_act="relu", **sizes))
    with fused_layers(model, Forward(fast_dropout=True), enabled=True):
        assert "forward" not in vars(layers_of(model)[0])
    with fused_layers(world("bert").model(), Forward(fast_dropout=True), enabled=False):
        assert "forward" not in vars(layers_of(world("bert").model())[0])
