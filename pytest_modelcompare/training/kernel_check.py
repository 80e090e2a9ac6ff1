"""Whether a kernel for attention over rows of any length can be relied on, tried on a few made-up rows."""

from __future__ import annotations

import torch
from torch.nn import functional

from pytest_modelcompare.training.varlen_attention import Kernel, row_by_row


def works(kernel: Kernel, heads: int, width: int, device: str, half: torch.dtype, dropout_p: float) -> bool:
    """Whether a kernel runs here, and is right. Draws random numbers."""
    try:
        return kernel_is_right(kernel, heads, width, device, half, dropout_p)
    except (RuntimeError, TypeError, AttributeError):  # not for this device, or torch has changed it
        return False


def kernel_is_right(kernel: Kernel, heads: int, width: int, device: str, half: torch.dtype, dropout_p: float) -> bool:
    """Whether a kernel gives what torch's own attention gives, its gradients too, and drops what it should.

    It is right when it is no further from attention in fp32 than four times what torch's own in half precision is.
    """
    lengths = torch.tensor([70, 1, 9, 33])
    ends = functional.pad(lengths.cumsum(0), (1, 0)).to(device, torch.int32)
    each = torch.arange(len(ends), dtype=torch.int32, device=device)
    random = torch.Generator().manual_seed(0)
    tokens = int(lengths.sum())
    drawn = [torch.randn(tokens, heads, width, generator=random) for _ in range(3)]
    for asking, most, count in ((ends, 70, tokens), (each, 1, len(lengths))):  # all tokens ask, or one per row

        def tried(one: Kernel, dtype: torch.dtype) -> list[torch.Tensor]:
            given = [drawn[0][:count], *drawn[1:]]  # noqa: B023  # called at once
            query, key, value = (part.detach().to(device, dtype).requires_grad_() for part in given)
            found = one(query, key, value, asking, ends, most, 70, 0.0, None)  # noqa: B023
            return [found, *torch.autograd.grad(found.float().square().sum(), [query, key, value])]

        true, torchs, found = tried(row_by_row, torch.float32), tried(row_by_row, half), tried(kernel, half)
        for one, other, right in zip(found, torchs, true, strict=True):
            if not distance(one, right) <= 4 * distance(other, right) + 1e-4:
                return False
    return dropout_p == 0.0 or drops(kernel, drawn, ends, half, dropout_p)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.detach().float() - other.detach().float()).abs().max())


def drops(kernel: Kernel, drawn: list[torch.Tensor], ends: torch.Tensor, half: torch.dtype, p: float) -> bool:
    """Whether dropout keeps the mean and lets some shares go: over values of one, answers are one without it."""
    query, key, _ = (part.to(ends.device, half) for part in drawn)
    found = kernel(query, key, torch.ones_like(key), ends, ends, 70, 70, p, None).float()
    by_head = found[..., 0]  # (tokens, heads): along the width they are equal
    # an answer's variance is p / (1 - p) · Σ share², at most that of a single share
    error = 5 * (p / (1 - p) / by_head.numel()) ** 0.5
    return bool((by_head - 1).abs().mean() > 1e-3) and abs(float(by_head.mean()) - 1) < error
