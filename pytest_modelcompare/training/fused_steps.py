"""What a layer that is written out is made of: products, and sums that are normed, each with its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pytest_modelcompare.training.dropout import drops, keep_, keep_mask, scale_of
from pytest_modelcompare.training.workspace import Workspace

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Added:
    """A sum that was normed, with what its gradient needs."""

    sum: torch.Tensor
    mask: torch.Tensor | None
    p: float
    mean: torch.Tensor
    rstd: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor


def added(
    states: torch.Tensor, found: torch.Tensor, p: float, weight: torch.Tensor, bias: torch.Tensor, eps: float,
    work: Workspace,
) -> tuple[Added, torch.Tensor]:  # fmt: skip
    """norm(states + dropout(found)); `found` is changed."""
    mask = keep_mask(found, p, work) if drops(p) else None
    if mask is not None:
        keep_(found, mask)
    total = work.cast(found, states.dtype)
    torch.add(states, total, alpha=scale_of(p), out=total)
    normed, mean, rstd = torch.native_layer_norm(total, total.shape[-1:], weight, bias, eps)
    return Added(total, mask, p, mean, rstd, weight, bias), normed


def added_gradient(
    gradient: torch.Tensor, one: Added, half: torch.dtype, work: Workspace
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of `added`'s states, of `found` (in `half`), of weight and bias."""
    of_sum, dweight, dbias = aten.native_layer_norm_backward(
        gradient.contiguous(), one.sum, one.sum.shape[-1:], one.mean, one.rstd, one.weight, one.bias, [True] * 3
    )
    of_found = work.cast(of_sum, half)
    if one.mask is not None:
        keep_(of_found.mul_(scale_of(one.p)), one.mask)
    return of_sum, of_found, dweight, dbias


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, work: Workspace) -> torch.Tensor:
    return torch.addmm(bias.to(x.dtype), x, weight.T, out=work.empty(len(x), len(weight), dtype=x.dtype))


def times(gradient: torch.Tensor, weight: torch.Tensor, work: Workspace) -> torch.Tensor:
    """The gradient of a linear layer's input."""
    return torch.mm(gradient, weight, out=work.empty(len(gradient), weight.shape[1], dtype=weight.dtype))


def weight_gradient(gradient: torch.Tensor, x: torch.Tensor, found: torch.Tensor, work: Workspace) -> torch.Tensor:
    """Fills `found` with a linear layer's weight's gradient; that of its bias, in the same type."""
    if found.dtype == x.dtype:
        torch.mm(gradient.T, x, out=found)
    else:
        with work.passing():
            found.copy_(torch.mm(gradient.T, x, out=work.empty(*found.shape, dtype=x.dtype)))
    return gradient.sum(0).to(found.dtype)


def side_by_side(weights: Sequence[torch.Tensor], dtype: torch.dtype, work: Workspace) -> torch.Tensor:
    """Weights of equal shape (out, in) as one of shape (k · out, in)."""
    rows, width = weights[0].shape
    found = work.empty(len(weights) * rows, width, dtype=dtype)
    for number, weight in enumerate(weights):
        found[number * rows : (number + 1) * rows].copy_(weight)
    return found
