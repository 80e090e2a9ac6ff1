"""Attention over rows of different lengths laid one after the other, in one kernel, on CUDA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

Kernel = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int, int, float, float | None], torch.Tensor
]
"""From query (tokens that ask, heads, width), key and value (tokens, heads, width), where each row's queries and keys
end (rows + 1,), the longest of both, dropout's p and the scale, to the answers, as query."""


class FlashAttention(torch.autograd.Function):
    """Flash attention over rows of different lengths, with dropout, the same gradient every time.

    `torch.nn.attention.varlen.varlen_attn` calls this operation without dropout; torch's own
    nested tensors call it with dropout, as here.
    """

    @staticmethod
    def forward(
        context: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        asking: torch.Tensor,
        there: torch.Tensor,
        most_asking: int,
        most_there: int,
        dropout_p: float,
        scale: float | None,
    ) -> torch.Tensor:
        found, log_sums, random, unused, _ = torch.ops.aten._flash_attention_forward(
            query, key, value, asking, there, most_asking, most_there, dropout_p, False, False, scale=scale
        )
        context.save_for_backward(query, key, value, found, log_sums, asking, there, random, unused)
        context.most, context.dropout_p, context.scale = (most_asking, most_there), dropout_p, scale
        return found  # type: ignore[no-any-return]

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, found, log_sums, asking, there, random, unused = context.saved_tensors
        with strictly_deterministic():
            given = torch.ops.aten._flash_attention_backward(
                gradients[0].contiguous(), query, key, value, found, log_sums, asking, there, *context.most,
                context.dropout_p, False, random, unused, scale=context.scale,
            )  # fmt: skip
        return *given, None, None, None, None, None, None


@contextmanager
def strictly_deterministic() -> Iterator[None]:
    """Where deterministic algorithms are preferred, insist: the kernel has one, but takes the other on preference."""
    preferred = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(preferred)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(preferred, warn_only=warned)


def flash_attention(*given: Any) -> torch.Tensor:
    """The `Kernel` for CUDA, in bf16 and fp16."""
    return FlashAttention.apply(*given)  # type: ignore[no-any-return,no-untyped-call]


def row_by_row(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    asking: torch.Tensor,
    there: torch.Tensor,
    most_asking: int,  # noqa: ARG001  # part of `Kernel`
    most_there: int,  # noqa: ARG001
    dropout_p: float,
    scale: float | None,
) -> torch.Tensor:
    """The `Kernel` that others are checked against: torch's own attention, one row after the other, on any device."""
    ends = zip(asking.tolist(), asking.tolist()[1:], there.tolist(), there.tolist()[1:], strict=False)
    answers = []
    for first, last, begin, end in ends:
        asked, keys, values = (
            one.transpose(0, 1)[None] for one in (query[first:last], key[begin:end], value[begin:end])
        )
        found = functional.scaled_dot_product_attention(asked, keys, values, dropout_p=dropout_p, scale=scale)
        answers.append(found[0].transpose(0, 1))
    return torch.cat(answers)


@dataclass(frozen=True, slots=True)
class VarlenPacking:
    """Rows laid one after the other, as a `Kernel` takes them."""

    starts: torch.Tensor
    """Shape (rows,). Where each row's first token stands."""

    ends: torch.Tensor
    """Shape (rows + 1,), int32. 0, then where each row ends."""

    longest: int
    """At least the tokens of the longest row."""

    kernel: Kernel

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout_p: float, scale: float | None
    ) -> torch.Tensor:
        """Every row attends to itself alone.

        Args:
            query: shape (1, heads, tokens, width), or (1, heads, rows, width) where only first tokens ask.
            key, value: shape (1, heads, tokens, width).

        Returns:
            as `query`.
        """
        asked, keys, values = (one[0].transpose(0, 1) for one in (query, key, value))  # each (tokens, heads, width)
        all_ask = len(asked) == len(keys)
        asking = self.ends if all_ask else torch.arange(len(self.ends), dtype=torch.int32, device=self.ends.device)
        most_asking = self.longest if all_ask else 1
        found = self.kernel(asked, keys, values, asking, self.ends, most_asking, self.longest, dropout_p, scale)
        return found.transpose(0, 1)[None]
