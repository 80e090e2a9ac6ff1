"""Texts to token ids, and ids to padded batches of similar length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError

if TYPE_CHECKING:
    import torch

LONGEST = 512
"""Texts are cut here unless the suite says otherwise, whatever the model could read."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Tokenised texts, not padded yet."""

    columns: dict[str, list[list[int]]]
    """`input_ids` and, where the model wants them, `token_type_ids`."""

    lengths: NDArray[np.int64]
    """Shape (n,). Tokens per text, special ones included."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """A tokenizer with the length its model can read."""

    tokenizer: Any
    max_length: int

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Tokens of every text, cut at `max_length`. A literal "[SEP]" in a text stays text."""
        found = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.max_length,
            padding=False,
            split_special_tokens=True,
            return_attention_mask=False,
        )
        columns = {name: found[name] for name in ("input_ids", "token_type_ids") if name in found}
        return Encoded(columns, np.fromiter(map(len, columns["input_ids"]), np.int64, len(texts)))

    def batch(self, encoded: Encoded, rows: Sequence[int] | NDArray[np.int64], device: str) -> dict[str, torch.Tensor]:
        """The rows as tensors of shape (rows, longest among them), padded on the tokenizer's own side."""
        import torch

        width = int(encoded.lengths[rows].max())
        left = self.tokenizer.padding_side == "left"
        padding = {"input_ids": self.tokenizer.pad_token_id, "token_type_ids": self.tokenizer.pad_token_type_id}
        arrays = {name: np.full((len(rows), width), padding[name], np.int64) for name in encoded.columns}
        arrays["attention_mask"] = np.zeros((len(rows), width), np.int64)
        for at, row in enumerate(rows):
            length = int(encoded.lengths[row])
            place = slice(width - length, width) if left else slice(0, length)
            arrays["attention_mask"][at, place] = 1
            for name, column in encoded.columns.items():
                arrays[name][at, place] = column[row]
        return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}

    def share_cut(self, encoded: Encoded) -> float:
        """The share of texts that fill `max_length`: cut, or exactly as long."""
        return float((encoded.lengths >= self.max_length).mean()) if len(encoded.lengths) else 0.0


def by_length(lengths: NDArray[np.int64], size: int, tokens: int = 8192) -> list[NDArray[np.int64]]:
    """Row numbers in batches of similar length, longest first: at most `size` rows and `tokens` padded tokens."""
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        stop = start + max(1, min(size, tokens // max(1, int(lengths[order[start]]))))
        batches.append(order[start:stop])
        start = stop
    return batches


def length_limit(tokenizer: Any, config: Any, wanted: int | None, where: str, model_own: int | None = None) -> int:
    """How many tokens a text may have.

    Raises:
        ModelError: `wanted` is more than the model has positions for.
    """
    limits = [int(tokenizer.model_max_length)]
    positions = getattr(config, "max_position_embeddings", None)
    if positions and positions > 0:
        # RoBERTa and its kin number positions from the padding token's id on.
        from_padding = "roberta" in config.model_type or config.model_type in ("camembert", "mpnet", "longformer")
        offset = (config.pad_token_id or 0) + 1 if from_padding else 0
        limits.append(int(positions) - offset)
    limit = min(limits)
    if wanted is None:
        return min(limit, LONGEST, model_own or LONGEST)
    if wanted > limit:
        raise ModelError(f"max_length {wanted} is more than the model can read", where=where, fix=f"at most {limit}")
    return wanted
