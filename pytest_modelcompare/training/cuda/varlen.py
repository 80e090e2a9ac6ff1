"""Rows of different lengths one after the other on CUDA: attention over them in one kernel, the model's input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pytest_modelcompare.inference.token_ids import Encoded
from pytest_modelcompare.training.forward import Forward
from pytest_modelcompare.training.minibatches import Rows, cut_within_tokens

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


def kernel_works(kernel: Kernel, heads: int, width: int, device: str, half: torch.dtype, dropout_p: float) -> bool:
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
            if not largest_difference(one, right) <= 4 * largest_difference(other, right) + 1e-4:
                return False
    return dropout_p == 0.0 or kernel_drops(kernel, drawn, ends, half, dropout_p)


def largest_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.detach().float() - other.detach().float()).abs().max())


def kernel_drops(kernel: Kernel, drawn: list[torch.Tensor], ends: torch.Tensor, half: torch.dtype, p: float) -> bool:
    """Whether dropout keeps the mean and lets some shares go: over values of one, answers are one without it."""
    query, key, _ = (part.to(ends.device, half) for part in drawn)
    found = kernel(query, key, torch.ones_like(key), ends, ends, 70, 70, p, None).float()
    by_head = found[..., 0]  # (tokens, heads): along the width they are equal
    # an answer's variance is p / (1 - p) · Σ share², at most that of a single share
    error = 5 * (p / (1 - p) / by_head.numel()) ** 0.5
    return bool((by_head - 1).abs().mean() > 1e-3) and abs(float(by_head.mean()) - 1) < error


Numbers = NDArray[np.int64]

FINEST = 128
"""Shapes differ by a multiple of this many tokens: the tiles of matrix products are as high."""

SHARE = 32
"""And by at least this part of the next power of two, so that shapes stay few."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a recorded step computes; rows and tokens that are not there are made up, and count nothing."""

    rows: int
    tokens: int


def shape_for(rows: int, most_rows: int, tokens: int) -> Shape:
    """The smallest shape that holds the rows; one row more than there are takes the tokens left over."""
    needed = tokens + most_rows + 1 - rows  # every made-up row has a token
    step = between_shapes(needed)
    return Shape(most_rows + 1, -(-needed // step) * step)


def between_shapes(tokens: int) -> int:
    """Tokens by which shapes of about so many differ."""
    return max(FINEST, (1 << (tokens - 1).bit_length()) // SHARE)


def longest_row(lengths: Numbers, shape: Shape) -> int:
    """At least the tokens of any row of a data set, and of the row that fills a shape."""
    return max(int(lengths.max()), between_shapes(shape.tokens))


def lay_out_rows(encoded: Encoded, rows: Rows, first_number: int, shape: Shape | None = None) -> dict[str, Numbers]:
    """The columns of the rows' tokens, `position_ids`, `starts` and `ends` of the rows; filled up to a shape.

    Args:
        first_number: the number that a text's first token's position has.
    """
    lengths = encoded.lengths[rows]
    if shape is not None:
        missing = shape.rows - len(rows)
        made_up = np.ones(missing, np.int64)
        made_up[-1] = shape.tokens - lengths.sum() - (missing - 1)
        assert made_up[-1] > 0
        lengths = np.concatenate([lengths, made_up])
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    numbers = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
    found = {"position_ids": numbers % int(encoded.lengths.max()) + first_number, "starts": ends[:-1], "ends": ends}
    for name, column in encoded.columns.items():
        there = np.concatenate([np.asarray(column[row], np.int64) for row in rows])
        found[name] = np.concatenate([there, np.full(ends[-1] - len(there), there[0])])
    return found


def varlen_packing(numbers: dict[str, torch.Tensor], longest: int, kernel: Kernel) -> VarlenPacking:
    return VarlenPacking(numbers["starts"], numbers["ends"].to(torch.int32), longest, kernel)


def model_input(numbers: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Ids and positions, each of shape (1, tokens), and a mask that hides nothing, shape (1, 1, 1, 1).

    Without one, transformers 5.17 makes a mask of tokens times tokens while a step is recorded.
    """
    columns = {name: one[None] for name, one in numbers.items() if name not in ("starts", "ends")}
    return {**columns, "attention_mask": torch.ones(1, 1, 1, 1, dtype=torch.bool, device=numbers["starts"].device)}


@dataclass(frozen=True, slots=True)
class Varlen:
    """Rows one after the other, whatever their lengths."""

    encoded: Encoded
    forward: Forward
    first_number: int
    kernel: Kernel
    kind: str

    def cut(self, rows: Rows, budget: int) -> list[Rows]:
        return cut_within_tokens(self.encoded.lengths, rows, budget)

    def batch(self, rows: Rows) -> dict[str, torch.Tensor]:
        numbers = lay_out_rows(self.encoded, rows, self.first_number)
        there = {name: torch.from_numpy(one).to(self.kind, non_blocking=True) for name, one in numbers.items()}
        self.forward.packing = varlen_packing(there, int(self.encoded.lengths[rows].max()), self.kernel)
        return model_input(there)
