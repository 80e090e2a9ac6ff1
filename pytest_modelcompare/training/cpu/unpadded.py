"""Rows one after the other instead of padded: only attention sees where each begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_modelcompare.inference.token_ids import Encoded
from pytest_modelcompare.training.cpu.fast_dropout import attention_with_dropout
from pytest_modelcompare.training.forward import Forward
from pytest_modelcompare.training.minibatches import Rows, cut_within_tokens, micro_batches

OVERHEAD_SCORES = 16_000
"""What one more group costs in attention, in scores per head that could be computed in that time."""

TOKENS, ROWS, LONGEST = 64, 8, 8
"""All tokens, a group's rows and its longest row are rounded up to a multiple of these (rows where there are more):
oneDNN makes a kernel for every new shape, which takes longer than a few tokens more, and memory that was used
before fits again."""


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

    @property
    def full(self) -> bool:
        """Whether there is a token at every padded place."""
        return len(self.places) == self.count * self.longest

    def pad_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
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
        """Every row attends to itself alone.

        Args:
            query: shape (1, heads, tokens, width), or (1, heads, rows, width) where only first tokens ask. Tokens after
                those of all rows hear zeros.
            key, value: shape (1, heads, tokens, width).

        Returns:
            as `query`.
        """
        tokens = [one.transpose(1, 2)[0] for one in (query, key, value)]  # each (tokens, heads, width)
        all_ask = len(tokens[0]) == len(tokens[1])
        found = []
        for group in self.groups:
            asking = (
                group.pad_tokens(tokens[0]) if all_ask else tokens[0][group.rows].unsqueeze(2)
            )  # or (count, heads, 1, width)
            keys, values = group.pad_tokens(tokens[1]), group.pad_tokens(tokens[2])
            answers = attention_with_dropout(asking, keys, values, group.mask, dropout_p, scale=scale).transpose(1, 2)
            answers = answers.flatten(0, 1)  # (count · longest or count, heads, width)
            found.append(Unpad.apply(answers, group.places) if all_ask else answers)  # type: ignore[no-untyped-call]
        if all_ask:
            found.append(tokens[0].new_zeros(len(tokens[0]) - int(self.lengths.sum()), *tokens[0].shape[1:]))
        return torch.cat(found).transpose(0, 1)[None]


def pack_rows(lengths: NDArray[np.int64]) -> Packing:
    """The packing of rows of these lengths, which must descend."""
    ends = np.cumsum(lengths)
    starts = ends - lengths
    groups, blocks = [], lengths[::ROWS]
    for some in micro_batches(ROWS * blocks**2, np.arange(len(blocks)), 2**62, OVERHEAD_SCORES):
        rows = np.arange(some[0] * ROWS, min((some[-1] + 1) * ROWS, len(lengths)))
        first, last, longest = int(rows[0]), int(rows[-1]), round_up(int(lengths[rows[0]]), LONGEST)
        there = np.arange(longest) < lengths[rows][:, None]  # (count, longest)
        mask = torch.from_numpy(there)[:, None, None]
        places = torch.from_numpy(np.flatnonzero(there))
        tokens = slice(int(starts[first]), int(ends[last]))
        groups.append(Group(slice(first, last + 1), tokens, len(rows), longest, places, mask))
    return Packing(lengths, torch.from_numpy(starts), tuple(groups))


def round_up(number: int, step: int) -> int:
    return -(-number // step) * step


def packed_batch(encoded: Encoded, rows: Rows, first_position: int) -> tuple[dict[str, torch.Tensor], Packing]:
    """The rows' tokens as one row, shape (1, tokens), and how they are packed.

    At the end the last token stands some more times, up to a multiple of `TOKENS`: nobody attends to it, and the loss
    does not see it.

    Args:
        rows: row numbers, longest first.
        first_position: the number that a text's first token's position has.
    """
    lengths = encoded.lengths[rows]
    more = (0, round_up(int(lengths.sum()), TOKENS) - int(lengths.sum()))
    columns = {
        name: np.concatenate([np.asarray(column[row], np.int64) for row in rows])
        for name, column in encoded.columns.items()
    }
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    columns["position_ids"] = np.arange(lengths.sum()) - starts + first_position
    batch = {name: torch.from_numpy(np.pad(column, more, mode="edge"))[None] for name, column in columns.items()}
    return batch, pack_rows(lengths)


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


@dataclass(frozen=True, slots=True)
class Unpadded:
    """Rows one after the other, longest first."""

    encoded: Encoded
    forward: Forward
    first_number: int
    """The position number of a text's first token."""

    def cut(self, rows: Rows, budget: int) -> list[Rows]:
        order = rows[np.argsort(-self.encoded.lengths[rows], kind="stable")]
        return cut_within_tokens(self.encoded.lengths, order, budget)

    def batch(self, rows: Rows) -> dict[str, torch.Tensor]:
        batch, self.forward.packing = packed_batch(self.encoded, rows, self.first_number)
        return batch
