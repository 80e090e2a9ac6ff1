"""Dropout that draws its masks cheaply on a CPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from pytest_modelcompare.training.cpu.workspace import Workspace

LEVELS = 2**15

INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Bytes of an element → the integers of that width."""


def keep_mask(like: torch.Tensor, p: float, work: Workspace | None = None) -> torch.Tensor:
    """Integers as wide as `like`'s elements, of its shape: with probability p 0, else -1 (all bits set), independently.

    torch draws one 32-bit number or more per element, on one core, which takes a fifth of
    a training step. Here a 64-bit number of SFC64, which torch's generator seeds, serves
    four elements, fifteen bits each: p is thereby rounded to a multiple of 2**-15.

    Args:
        work: where the mask lies; None: in memory of its own.
    """
    seed = int(torch.empty((), dtype=torch.int64).random_())
    drawn = torch.from_numpy(np.random.SFC64(seed).random_raw(-(-like.numel() // 4)).view(np.int64))
    bits = drawn if work is None else work.cast(drawn, torch.int64)
    sixteen = bits.view(torch.int16)[: like.numel()].view(like.shape)
    below = sixteen.bitwise_and_(LEVELS - 1).sub_(LEVELS - round(p * LEVELS))
    return below.bitwise_right_shift_(15).to(INTEGERS[like.element_size()])  # the sign, in every bit


def drops_any(p: float) -> bool:
    """Whether that much dropout drops anything."""
    return round(p * LEVELS) > 0


def apply_mask_(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """x with zeros where the mask, of `keep_mask`, has them; in place."""
    x.view(mask.dtype).bitwise_and_(mask)
    return x


def dropout_scale(p: float) -> float:
    """What the elements that are kept are multiplied by: 1 / (1 - p), p rounded as in `keep_mask`, so that the
    expectation is exact.
    """
    return LEVELS / (LEVELS - round(p * LEVELS))


class Dropout(torch.autograd.Function):
    """x · mask / (1 - p), where the mask keeps each element with probability 1 - p, independently."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor, p: float) -> torch.Tensor:
        mask, context.scale = keep_mask(x, p), dropout_scale(p)
        context.save_for_backward(mask)
        return apply_mask_(x * context.scale, mask)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (mask,) = context.saved_tensors
        return apply_mask_(gradients[0] * context.scale, mask), None


def fast_dropout(x: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> torch.Tensor:
    """As torch.nn.functional.dropout; `inplace` is not heeded, the result is the same."""
    if not training or not drops_any(p) or x.numel() == 0:
        return x
    if round(p * LEVELS) == LEVELS or x.device.type != "cpu":
        return functional.dropout(x, p, training, inplace)
    return Dropout.apply(x, p)  # type: ignore[no-any-return,no-untyped-call]


def attention_with_dropout(
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
    return fast_dropout(shares, dropout_p) @ value
