"""Dropout that draws its masks cheaply on a CPU."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

LEVELS = 2**16


class Dropout(torch.autograd.Function):
    """x · mask / (1 - p), where the mask keeps each element with probability 1 - p, independently.

    torch draws one 32-bit number or more per element, on one core, which takes a fifth of
    a training step. Here a 64-bit number serves four elements: a sixteen-bit part of it
    below p · 2**16 drops one. p is thereby rounded to a multiple of 2**-16, and the scale
    uses the rounded p, so that the expectation is exact.
    """

    @staticmethod
    def forward(context: Any, x: torch.Tensor, p: float) -> torch.Tensor:
        dropped = round(p * LEVELS)
        bits = torch.empty(math.ceil(x.numel() / 4), dtype=torch.int64).random_(-(2**63), None)
        sixteen = bits.view(torch.int16)[: x.numel()].view(x.shape)
        scale = (sixteen >= dropped - LEVELS // 2).to(x.dtype).mul_(LEVELS / (LEVELS - dropped))
        context.save_for_backward(scale)
        return x * scale

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (scale,) = context.saved_tensors
        return gradients[0] * scale, None


def dropout(x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    """As torch.nn.functional.dropout; `inplace` is not heeded, the result is the same."""
    if not training or round(p * LEVELS) == 0 or x.numel() == 0:
        return x
    if round(p * LEVELS) == LEVELS or x.device.type != "cpu":
        return functional.dropout(x, p, training, inplace)
    return Dropout.apply(x, p)  # type: ignore[no-any-return,no-untyped-call]


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """As torch's scaled_dot_product_attention, which on a CPU has no kernel of its own where there is dropout.

    Products in autocast's type, softmax in fp32, as transformers' `eager` attention.

    Args:
        query, key, value: shape (batch, heads, tokens, width).
        attn_mask: bool (True: may be seen) or added to the scores; shape (batch or 1, heads or 1, tokens or 1, tokens).
    """
    if dropout_p == 0.0 or is_causal or enable_gqa:
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    scores = (query * (query.shape[-1] ** -0.5 if scale is None else scale)) @ key.transpose(-2, -1)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    shares = functional.softmax(scores, -1, dtype=torch.float32).to(scores.dtype)
    return dropout(shares, dropout_p) @ value
