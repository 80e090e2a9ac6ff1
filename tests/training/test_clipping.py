"""Gradients are clipped as torch clips them, in fewer passes over memory."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from pytest_modelcompare.training.step import LARGEST_GRADIENT, clip_gradients


def model_with(norm: float) -> torch.nn.Module:
    """Two layers whose gradients have that norm together; a third has none."""
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Linear(7, 3), torch.nn.Linear(3, 2))
    trained = [*layers[0].parameters(), *layers[1].parameters()]
    drawn = [torch.randn_like(one) for one in trained]
    whole = math.sqrt(sum(float(one.square().sum()) for one in drawn))
    for one, gradient in zip(trained, drawn, strict=True):
        one.grad = gradient * (norm / whole)
    return layers


@pytest.mark.parametrize("norm", [0.0, 1e-9, 0.5, 1 - 3e-6, 1 - 1e-6, 1 - 1e-7, 1.0, 1 + 1e-7, 1.0001, 7.0, 1e9])
def test_every_bit_is_as_torch_leaves_it(norm: float):
    ours, theirs = model_with(norm), model_with(norm)
    clip_gradients(ours, "cpu")
    torch.nn.utils.clip_grad_norm_(theirs.parameters(), LARGEST_GRADIENT)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert (one.grad is None) is (other.grad is None)
        assert one.grad is None or torch.equal(one.grad, other.grad)


def test_what_is_no_number_stays_none():
    model: Any = model_with(1.0)
    model[0].weight.grad[0, 0] = math.nan
    clip_gradients(model, "cpu")
    assert all(bool(one.grad.isnan().all()) for one in model.parameters() if one.grad is not None)


def test_small_gradients_are_not_passed_over_again(monkeypatch: pytest.MonkeyPatch):
    scaled: list[float] = []
    monkeypatch.setattr(torch.nn.utils, "clip_grads_with_norm_", lambda _, __, norm: scaled.append(float(norm)))
    clip_gradients(model_with(0.9), "cpu")
    assert scaled == []
    clip_gradients(model_with(1.1), "cpu")
    assert scaled == pytest.approx([1.1])
