"""Rows one after the other on CUDA: the model's input, and how much of it is computed at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_modelcompare.inference.tokens import Encoded
from pytest_modelcompare.training.batches import Rows, within_tokens
from pytest_modelcompare.training.forward import Forward
from pytest_modelcompare.training.varlen_attention import Kernel, VarlenPacking

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


def laid_out(encoded: Encoded, rows: Rows, first_number: int, shape: Shape | None = None) -> dict[str, Numbers]:
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


def packing_of(numbers: dict[str, torch.Tensor], longest: int, kernel: Kernel) -> VarlenPacking:
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
        return within_tokens(self.encoded.lengths, rows, budget)

    def batch(self, rows: Rows) -> dict[str, torch.Tensor]:
        numbers = laid_out(self.encoded, rows, self.first_number)
        there = {name: torch.from_numpy(one).to(self.kind, non_blocking=True) for name, one in numbers.items()}
        self.forward.packing = packing_of(there, int(self.encoded.lengths[rows].max()), self.kernel)
        return model_input(there)
