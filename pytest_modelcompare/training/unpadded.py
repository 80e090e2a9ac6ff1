"""Rows one after the other instead of padded: only attention sees where each begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_modelcompare.inference.tokens import Encoded
from pytest_modelcompare.training.batches import Rows, micro_batches
from pytest_modelcompare.training.dropout import attention

OVERHEAD_SCORES = 16_000
"""What one more group costs in attention, in scores per head that could be computed in that time."""


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring rows of similar length, which attention computes padded to one length."""

    rows: slice
    """Of the packed rows."""

    tokens: slice
    """Of the packed tokens."""

    count: int
    longest: int
    places: torch.Tensor
    """Shape (tokens of the group,). Where each token stands among count · longest padded places."""

    mask: torch.Tensor
    """Shape (count, 1, 1, longest). True where there is a token."""

    def padded(self, tokens: torch.Tensor) -> torch.Tensor:
        """The group's part of all packed tokens (tokens, heads, width), as (count, heads, longest, width)."""
        places = Pad.apply(tokens[self.tokens], self.places, self.count * self.longest)  # type: ignore[no-untyped-call]
        return places.view(self.count, self.longest, *tokens.shape[1:]).transpose(1, 2)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Packing:
    """Rows laid one after the other, longest first."""

    lengths: NDArray[np.int64]
    """Shape (rows,). Descending."""

    starts: torch.Tensor
    """Shape (rows,). Where each row's first token stands."""

    groups: tuple[Group, ...]

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout_p: float, scale: float | None
    ) -> torch.Tensor:
        """As `packed_attention`."""
        return packed_attention(self, query, key, value, dropout_p, scale)


def packing_of(lengths: NDArray[np.int64]) -> Packing:
    """The packing of rows of these lengths, which must descend."""
    ends = np.cumsum(lengths)
    starts = ends - lengths
    groups = []
    for rows in micro_batches(lengths**2, np.arange(len(lengths)), 2**62, OVERHEAD_SCORES):
        first, last, longest = int(rows[0]), int(rows[-1]), int(lengths[rows[0]])
        there = np.arange(longest) < lengths[rows][:, None]  # (count, longest)
        mask = torch.from_numpy(there)[:, None, None]
        places = torch.from_numpy(np.flatnonzero(there))
        tokens = slice(int(starts[first]), int(ends[last]))
        groups.append(Group(slice(first, last + 1), tokens, len(rows), longest, places, mask))
    return Packing(lengths, torch.from_numpy(starts), tuple(groups))


def packed_batch(encoded: Encoded, rows: Rows, first_position: int) -> tuple[dict[str, torch.Tensor], Packing]:
    """The rows' tokens as one row, shape (1, tokens), and how they are packed.

    Args:
        rows: row numbers, longest first.
        first_position: the number that a text's first token's position has.
    """
    lengths = encoded.lengths[rows]
    batch = {
        name: torch.from_numpy(np.concatenate([np.asarray(column[row], np.int64) for row in rows]))[None]
        for name, column in encoded.columns.items()
    }
    positions = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) + first_position
    return {**batch, "position_ids": torch.from_numpy(positions)[None]}, packing_of(lengths)


class Pad(torch.autograd.Function):
    """Tokens (n, …) to zero-padded places (size, …); the gradient takes the way back."""

    @staticmethod
    def forward(context: Any, tokens: torch.Tensor, places: torch.Tensor, size: int) -> torch.Tensor:
        context.save_for_backward(places)
        return tokens.new_zeros(size, *tokens.shape[1:]).index_copy_(0, places, tokens)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (places,) = context.saved_tensors
        return gradients[0].index_select(0, places), None, None


class Unpad(torch.autograd.Function):
    """Padded places (size, …) to the tokens (n, …) that stand there; the gradient takes the way back."""

    @staticmethod
    def forward(context: Any, padded: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        context.save_for_backward(places)
        context.size = len(padded)
        return padded.index_select(0, places)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (places,) = context.saved_tensors
        gradient = gradients[0]
        return gradient.new_zeros(context.size, *gradient.shape[1:]).index_copy_(0, places, gradient), None


def packed_attention(
    packing: Packing,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    dropout_p: float,
    scale: float | None,
) -> torch.Tensor:
    """Every row attends to itself alone.

    Args:
        query: shape (1, heads, tokens, width), or (1, heads, rows, width) where only first tokens ask.
        key, value: shape (1, heads, tokens, width).

    Returns:
        as `query`.
    """
    tokens = [one.transpose(1, 2)[0] for one in (query, key, value)]  # each (tokens, heads, width)
    all_ask = len(tokens[0]) == len(tokens[1])
    found = []
    for group in packing.groups:
        asking = (
            group.padded(tokens[0]) if all_ask else tokens[0][group.rows].unsqueeze(2)
        )  # or (count, heads, 1, width)
        keys, values = group.padded(tokens[1]), group.padded(tokens[2])
        answers = attention(asking, keys, values, group.mask, dropout_p, scale=scale).transpose(1, 2)
        answers = answers.flatten(0, 1)  # (count · longest or count, heads, width)
        found.append(Unpad.apply(answers, group.places) if all_ask else answers)  # type: ignore[no-untyped-call]
    return torch.cat(found).transpose(0, 1)[None]
