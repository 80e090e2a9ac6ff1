"""Encoder layers that pass packed rows on a CPU as `fused_layer` writes them out, while a model trains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.activations import GELUActivation

from pytest_modelcompare.training.forward import Forward
from pytest_modelcompare.training.fused_layer import FusedLayer, How
from pytest_modelcompare.training.group_attention import Heads
from pytest_modelcompare.training.layer_parts import Parts, layers_of, parts_of, rate_of
from pytest_modelcompare.training.unpadded import Packing
from pytest_modelcompare.training.workspace import Workspace


@contextmanager
def fused_layers(model: Any, mode: Forward, *, enabled: bool) -> Iterator[None]:
    """While it is entered, packed rows pass all encoder layers but the last in this way, where the model is known.

    The last is left to `first_position`.
    """
    layers = (layers_of(model) or [])[:-1] if enabled else []
    work = Workspace()
    changed = []
    for number, layer in enumerate(layers):
        parts = parts_of(model, layer)
        if isinstance(parts.activation, GELUActivation):
            layer.forward = FusedForward(parts, mode, work, layer.forward, first=number == 0)
            changed.append(layer)
    try:
        yield
    finally:
        for layer in changed:
            del layer.forward  # the class's own is seen again


@dataclass(frozen=True, slots=True)
class FusedForward:
    """A layer's forward pass: as written out here on packed rows on a CPU, its own on others."""

    parts: Parts
    mode: Forward
    work: Workspace
    own: Any
    first: bool
    """Of all layers: what the last pass left in the workspace is not needed any more."""

    gradients: list[torch.Tensor] = field(default_factory=list)
    """Of the layer's four products, the same memory in every step."""

    def __call__(self, states: torch.Tensor, *others: Any, **named: Any) -> torch.Tensor:
        packing = self.mode.packing
        if not isinstance(packing, Packing):
            found: torch.Tensor = self.own(states, *others, **named)
            return found
        if self.first:
            self.work.clear()
        with nullcontext() if torch.is_grad_enabled() else self.work.passing():
            return self.fused(states[0], packing)[None]

    def fused(self, states: torch.Tensor, packing: Packing) -> torch.Tensor:
        """The layer's output, from states of shape (tokens, width) to the same."""
        parts = self.parts
        how = How(
            packing,
            self.work,
            torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else states.dtype,
            Heads(parts.heads, parts.scaling, rate_of(parts.shares_dropout)),
            rate_of(parts.out_dropout),
            rate_of(parts.down_dropout),
            (parts.first_norm.eps, parts.second_norm.eps),
            self.gradient_buffers(states.dtype),
        )
        weights = [one for layer in parts.weighted for one in (layer.weight, layer.bias)]
        return FusedLayer.apply(states, how, *weights)  # type: ignore[no-any-return,no-untyped-call]

    def gradient_buffers(self, dtype: torch.dtype) -> list[torch.Tensor]:
        """Where this pass's gradients go; not where those are that it is added to."""
        parts = self.parts
        if parts.query.weight.grad is not None:
            return empty_gradients(parts, dtype)
        if not self.gradients:
            self.gradients.extend(empty_gradients(parts, dtype))
        return self.gradients


def empty_gradients(parts: Parts, dtype: torch.dtype) -> list[torch.Tensor]:
    out, width = parts.query.weight.shape
    others = (parts.out.weight, parts.up.weight, parts.down.weight)
    return [torch.empty(*shape, dtype=dtype) for shape in ((3 * out, width), *(one.shape for one in others))]
