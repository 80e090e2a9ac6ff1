"""A BERT-like encoder layer over packed rows, with its gradient written out.

What autograd would do with some forty operations each way is here done in few passes
over memory, always the same memory: one product for queries, keys and values, no cast
that autocast would repeat, dropout by integer masks, sums in place. Products are
computed in autocast's type; norms and what is added to them in fp32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from pytest_modelcompare.training.fused_steps import (
    Added,
    added,
    added_gradient,
    linear,
    side_by_side,
    times,
    weight_gradient,
)
from pytest_modelcompare.training.group_attention import Heads, Kept, attended, attended_gradient
from pytest_modelcompare.training.unpadded import Packing
from pytest_modelcompare.training.workspace import Workspace

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class How:
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
class Saved:
    """What the gradient needs; names as in `FusedLayer.forward`."""

    x: torch.Tensor
    w3: torch.Tensor
    kept: list[Kept]
    heard: torch.Tensor
    wo: torch.Tensor
    first: Added
    middle: torch.Tensor
    wu: torch.Tensor
    before: torch.Tensor
    active: torch.Tensor
    wd: torch.Tensor
    second: Added


class FusedLayer(torch.autograd.Function):
    """norm(y + down(gelu(up(y)))) of y = norm(x + out(attention(x)))."""

    @staticmethod
    def forward(context: Any, states: torch.Tensor, how: How, *weights: torch.Tensor) -> torch.Tensor:
        with torch._C.DisableTorchFunction():  # no operation here is one that `Forward` changes
            return FusedLayer.computed(context, states, how, *weights)

    @staticmethod
    def computed(context: Any, states: torch.Tensor, how: How, *weights: torch.Tensor) -> torch.Tensor:
        work, half = how.work, how.half
        wq, bq, wk, bk, wv, bv, wo, bo, g1, c1, wu, bu, wd, bd, g2, c2 = weights
        start = work.top
        x, w3 = work.cast(states, half), side_by_side((wq, wk, wv), half, work)
        wo, wu, wd = (work.cast(one, half) for one in (wo, wu, wd))
        heard, kept = attended(how.packing.groups, linear(x, w3, torch.cat([bq, bk, bv]), work), how.heads, work)
        first, y = added(states, linear(heard, wo, bo, work), how.out_p, g1, c1, how.eps[0], work)
        middle = work.cast(y, half)
        before = linear(middle, wu, bu, work)
        active = aten.gelu.out(before, out=work.empty(*before.shape, dtype=half))
        second, z = added(y, linear(active, wd, bd, work), how.down_p, g2, c2, how.eps[1], work)
        context.how, context.start = how, start
        context.saved = Saved(x, w3, kept, heard, wo, first, middle, wu, before, active, wd, second)
        return z

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        how, saved = context.how, context.saved
        context.saved = None
        work, (dw3, dwo, dwu, dwd) = how.work, (one.detach() for one in how.gradients)  # kept as they are
        of_sum, of_down, dg2, dc2 = added_gradient(gradients[0], saved.second, how.half, work)
        dbd = weight_gradient(of_down, saved.active, dwd, work)
        of_before = times(of_down, saved.wd, work)
        aten.gelu_backward.grad_input(of_before, saved.before, grad_input=of_before)
        dbu = weight_gradient(of_before, saved.middle, dwu, work)
        of_sum.add_(times(of_before, saved.wu, work))
        of_sum, of_out, dg1, dc1 = added_gradient(of_sum, saved.first, how.half, work)
        dbo = weight_gradient(of_out, saved.heard, dwo, work)
        projected = attended_gradient(how.packing.groups, saved.kept, times(of_out, saved.wo, work), how.heads, work)
        db3 = weight_gradient(projected, saved.x, dw3, work)
        of_sum.add_(times(projected, saved.w3, work))
        work.top = context.start
        (dwq, dwk, dwv), (dbq, dbk, dbv) = dw3.chunk(3), db3.chunk(3)
        return (
            of_sum, None, dwq, dbq, dwk, dbk, dwv, dbv, dwo, dbo, dg1, dc1, dwu, dbu, dwd, dbd, dg2, dc2,
        )  # fmt: skip
