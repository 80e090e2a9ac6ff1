"""Memory that is used again in every step.

Steps have different numbers of tokens, so that what a general allocator gave back fits
the next step badly: the heap grows, and fresh pages cost a CPU as much as computing what
is written to them. Here what a pass needs is laid out end to end in one mapping.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

import torch

ALIGNMENT = 64
"""Bytes: what torch aligns to itself."""

RESERVED = 4 * 2**30
"""Bytes of addresses that are asked for at first; pages that are never touched cost nothing."""


class Workspace:
    """A stack of tensors. `clear` begins anew, and what was taken before must not be used any more."""

    def __init__(self, least: int = RESERVED) -> None:
        self.memory = map_memory(0)
        self.least = least
        """Bytes that are mapped at first."""

        self.top = 0
        """Where the next tensor begins, in bytes."""

        self.highest = 0

    def clear(self) -> None:
        """Forget all tensors; with more memory, where the last ones did not fit."""
        self.top = 0
        size = max(self.least, self.highest)
        if len(self.memory) < size:
            self.memory = map_memory(0)  # given back first
            self.memory = map_memory(size)
            self.least = len(self.memory)  # 0 where so much is not to be had: next time no more than was needed

    def empty(self, *shape: int, dtype: torch.dtype) -> torch.Tensor:
        """A tensor without values; from the general allocator where it does not fit."""
        start = -(-self.top // ALIGNMENT) * ALIGNMENT
        self.top = start + math.prod(shape) * dtype.itemsize
        self.highest = max(self.highest, self.top)
        if self.top > len(self.memory):
            return torch.empty(shape, dtype=dtype)
        return self.memory[start : self.top].view(dtype).view(shape)

    def cast(self, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """A copy in another type."""
        return self.empty(*tensor.shape, dtype=dtype).copy_(tensor)

    @contextmanager
    def scratch(self) -> Iterator[None]:
        """What is taken inside is forgotten at the end."""
        top = self.top
        try:
            yield
        finally:
            self.top = top


def map_memory(size: int) -> torch.Tensor:
    """So many bytes, in pages as large as the system gives; none where it gives no addresses of its own."""
    nothing = torch.empty(0, dtype=torch.uint8)
    if size == 0 or not hasattr(mmap, "MAP_PRIVATE"):
        return nothing
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:  # no addresses without memory behind them, and not so much of that
        return nothing
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(memory, dtype=torch.uint8)
