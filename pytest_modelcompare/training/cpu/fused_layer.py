"""A BERT-like encoder layer over packed rows, with its gradient written out.

What autograd would do with some forty operations each way is here done in few passes
over memory, always the same memory: one product for queries, keys and values, no cast
that autocast would repeat, dropout by integer masks, sums in place. Products are
computed in autocast's type; norms and what is added to them in fp32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.activations import GELUActivation

from pytest_modelcompare.training.cpu.fast_dropout import apply_mask_, dropout_scale, drops_any, keep_mask
from pytest_modelcompare.training.cpu.group_attention import (
    Heads,
    KeptForGradient,
    attend_groups,
    attend_groups_gradient,
)
from pytest_modelcompare.training.cpu.unpadded import Packing
from pytest_modelcompare.training.cpu.workspace import Workspace
from pytest_modelcompare.training.encoder_layers import Parts, layers_of, parts_of, rate_of
from pytest_modelcompare.training.forward import Forward

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class LayerSettings:
    """What is no tensor."""

    packing: Packing
    work: Workspace
    half: torch.dtype
    """What products are computed in."""

    heads: Heads
    out_p: float
    down_p: float
    eps: tuple[float, float]
    gradients: list[torch.Tensor]
    """Memory for those of w3, wo, wu and wd."""


@dataclass(frozen=True, slots=True)
class SavedForGradient:
    """What the gradient needs; names as in `FusedLayer.forward`."""

    x: torch.Tensor
    w3: torch.Tensor
    kept: list[KeptForGradient]
    heard: torch.Tensor
    wo: torch.Tensor
    first: NormedSum
    middle: torch.Tensor
    wu: torch.Tensor
    before: torch.Tensor
    active: torch.Tensor
    wd: torch.Tensor
    second: NormedSum


class FusedLayer(torch.autograd.Function):
    """norm(y + down(gelu(up(y)))) of y = norm(x + out(attention(x)))."""

    @staticmethod
    def forward(context: Any, states: torch.Tensor, how: LayerSettings, *weights: torch.Tensor) -> torch.Tensor:
        with torch._C.DisableTorchFunction():  # no operation here is one that `Forward` changes
            return FusedLayer.compute_layer(context, states, how, *weights)

    @staticmethod
    def compute_layer(context: Any, states: torch.Tensor, how: LayerSettings, *weights: torch.Tensor) -> torch.Tensor:
        work, half = how.work, how.half
        wq, bq, wk, bk, wv, bv, wo, bo, g1, c1, wu, bu, wd, bd, g2, c2 = weights
        start = work.top
        x, w3 = work.cast(states, half), stack_weights((wq, wk, wv), half, work)
        wo, wu, wd = (work.cast(one, half) for one in (wo, wu, wd))
        heard, kept = attend_groups(
            how.packing.groups, linear_product(x, w3, torch.cat([bq, bk, bv]), work), how.heads, work
        )
        first, y = add_and_norm(states, linear_product(heard, wo, bo, work), how.out_p, g1, c1, how.eps[0], work)
        middle = work.cast(y, half)
        before = linear_product(middle, wu, bu, work)
        active = aten.gelu.out(before, out=work.empty(*before.shape, dtype=half))
        second, z = add_and_norm(y, linear_product(active, wd, bd, work), how.down_p, g2, c2, how.eps[1], work)
        context.how, context.start = how, start
        context.saved = SavedForGradient(x, w3, kept, heard, wo, first, middle, wu, before, active, wd, second)
        return z

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        how, saved = context.how, context.saved
        context.saved = None
        work, (dw3, dwo, dwu, dwd) = how.work, (one.detach() for one in how.gradients)  # kept as they are
        of_sum, of_down, dg2, dc2 = add_and_norm_gradient(gradients[0], saved.second, how.half, work)
        dbd = weight_gradient(of_down, saved.active, dwd, work)
        of_before = input_gradient(of_down, saved.wd, work)
        aten.gelu_backward.grad_input(of_before, saved.before, grad_input=of_before)
        dbu = weight_gradient(of_before, saved.middle, dwu, work)
        of_sum.add_(input_gradient(of_before, saved.wu, work))
        of_sum, of_out, dg1, dc1 = add_and_norm_gradient(of_sum, saved.first, how.half, work)
        dbo = weight_gradient(of_out, saved.heard, dwo, work)
        projected = attend_groups_gradient(
            how.packing.groups, saved.kept, input_gradient(of_out, saved.wo, work), how.heads, work
        )
        db3 = weight_gradient(projected, saved.x, dw3, work)
        of_sum.add_(input_gradient(projected, saved.w3, work))
        work.top = context.start
        (dwq, dwk, dwv), (dbq, dbk, dbv) = dw3.chunk(3), db3.chunk(3)
        return (
            of_sum, None, dwq, dbq, dwk, dbk, dwv, dbv, dwo, dbo, dg1, dc1, dwu, dbu, dwd, dbd, dg2, dc2,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NormedSum:
    """A sum that was normed, with what its gradient needs."""

    sum: torch.Tensor
    mask: torch.Tensor | None
    p: float
    mean: torch.Tensor
    rstd: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor


def add_and_norm(
    states: torch.Tensor, found: torch.Tensor, p: float, weight: torch.Tensor, bias: torch.Tensor, eps: float,
    work: Workspace,
) -> tuple[NormedSum, torch.Tensor]:  # fmt: skip
    """norm(states + dropout(found)); `found` is changed."""
    mask = keep_mask(found, p, work) if drops_any(p) else None
    if mask is not None:
        apply_mask_(found, mask)
    total = work.cast(found, states.dtype)
    torch.add(states, total, alpha=dropout_scale(p), out=total)
    normed, mean, rstd = torch.native_layer_norm(total, total.shape[-1:], weight, bias, eps)
    return NormedSum(total, mask, p, mean, rstd, weight, bias), normed


def add_and_norm_gradient(
    gradient: torch.Tensor, one: NormedSum, half: torch.dtype, work: Workspace
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of `add_and_norm`'s states, of `found` (in `half`), of weight and bias."""
    of_sum, dweight, dbias = aten.native_layer_norm_backward(
        gradient.contiguous(), one.sum, one.sum.shape[-1:], one.mean, one.rstd, one.weight, one.bias, [True] * 3
    )
    of_found = work.cast(of_sum, half)
    if one.mask is not None:
        apply_mask_(of_found.mul_(dropout_scale(one.p)), one.mask)
    return of_sum, of_found, dweight, dbias


def linear_product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, work: Workspace) -> torch.Tensor:
    return torch.addmm(bias.to(x.dtype), x, weight.T, out=work.empty(len(x), len(weight), dtype=x.dtype))


def input_gradient(gradient: torch.Tensor, weight: torch.Tensor, work: Workspace) -> torch.Tensor:
    """The gradient of a linear layer's input."""
    return torch.mm(gradient, weight, out=work.empty(len(gradient), weight.shape[1], dtype=weight.dtype))


def weight_gradient(gradient: torch.Tensor, x: torch.Tensor, found: torch.Tensor, work: Workspace) -> torch.Tensor:
    """Fills `found` with a linear layer's weight's gradient; that of its bias, in the same type."""
    if found.dtype == x.dtype:
        torch.mm(gradient.T, x, out=found)
    else:
        with work.scratch():
            found.copy_(torch.mm(gradient.T, x, out=work.empty(*found.shape, dtype=x.dtype)))
    return gradient.sum(0).to(found.dtype)


def stack_weights(weights: Sequence[torch.Tensor], dtype: torch.dtype, work: Workspace) -> torch.Tensor:
    """Weights of equal shape (out, in) as one of shape (k · out, in)."""
    rows, width = weights[0].shape
    found = work.empty(len(weights) * rows, width, dtype=dtype)
    for number, weight in enumerate(weights):
        found[number * rows : (number + 1) * rows].copy_(weight)
    return found


@contextmanager
def fused_layers(model: Any, mode: Forward, *, enabled: bool) -> Iterator[None]:
    """While it is entered, packed rows pass all encoder layers but the last in this way, where the model is known.

    The last is left to `narrow_last_layer`.
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
        with nullcontext() if torch.is_grad_enabled() else self.work.scratch():
            return self.run_fused(states[0], packing)[None]

    def run_fused(self, states: torch.Tensor, packing: Packing) -> torch.Tensor:
        """The layer's output, from states of shape (tokens, width) to the same."""
        parts = self.parts
        how = LayerSettings(
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
