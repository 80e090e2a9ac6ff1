"""Of the embedding table, train only the tokens that occur: the others' gradients are 0 in every step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from pytest_modelcompare.inference.token_ids import Encoded, Ragged

AT_ONCE = 1_000_000
"""Tokens looked at together."""

WORTH_IT = 0.8
"""A larger share of the table than this is trained as it is."""


class OccurringTokens(torch.nn.Module):
    """Stands for an embedding table while it is trained; takes the same token ids.

    Its last row belongs to no token. It begins at 1 and has no gradient, so that AdamW
    only lets it decay: at the end it holds what became of every row that is not here.
    """

    def __init__(self, whole: torch.nn.Embedding, occurring: torch.Tensor) -> None:
        super().__init__()
        self.whole = (whole,)  # in a tuple: no part of the model meanwhile
        self.occurring = occurring
        """Shape (k,). Token ids, ascending."""

        self.places = torch.zeros(whole.num_embeddings, dtype=torch.long)
        self.places[occurring] = torch.arange(len(occurring))
        rows = whole.weight.detach()
        self.weight = torch.nn.Parameter(torch.cat([rows[occurring], torch.ones_like(rows[:1])]))
        """Shape (k + 1, width)."""

        self.padding_idx = None if whole.padding_idx is None else int(self.places[whole.padding_idx])

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return functional.embedding(self.places[ids], self.weight, self.padding_idx)

    def restore_table(self) -> torch.nn.Embedding:
        """The whole table, as if it had been trained."""
        (whole,) = self.whole
        with torch.no_grad():
            whole.weight.mul_(self.weight[-1, 0])
            whole.weight[self.occurring] = self.weight[:-1]
        return whole


@contextmanager
def occurring_tokens(model: Any, texts: Iterable[Encoded], kind: str, *, enabled: bool) -> Iterator[None]:
    """While it is entered, the model's embedding table has the tokens of these texts alone, where that saves much.

    A table of 30,000 rows costs a MiniLM on a CPU a third of each step: zeros to fill,
    norms, moments. On a GPU it costs next to nothing, and all stays as it is.

    Args:
        texts: everything that the model will see until the end.
    """
    found = embedding_table_of(model) if enabled and kind == "cpu" else None
    if found is None:
        yield
        return
    parent, name, whole = found
    occurring = torch.from_numpy(np.flatnonzero(occurring_ids(texts, whole, model.config.pad_token_id)))
    if len(occurring) > WORTH_IT * whole.num_embeddings:
        yield
        return
    some = OccurringTokens(whole, occurring)
    setattr(parent, name, some)
    try:
        yield
    finally:
        setattr(parent, name, some.restore_table())


def embedding_table_of(model: Any) -> tuple[torch.nn.Module, str, torch.nn.Embedding] | None:
    """The module that holds the table, its name there, and the table; None where more than a lookup is made in it."""
    whole = model.get_input_embeddings()
    if type(whole) is not torch.nn.Embedding or not whole.weight.requires_grad:
        return None
    if whole.max_norm is not None or whole.sparse or whole.scale_grad_by_freq:
        return None
    modules = dict(model.named_modules(remove_duplicate=False))
    if sum(weights is whole.weight for one in modules.values() for weights in one._parameters.values()) != 1:
        return None  # shared, e.g. with a head that gives tokens
    path = next(path for path, one in modules.items() if one is whole)
    parent, _, name = path.rpartition(".")
    return modules[parent], name, whole


def occurring_ids(
    texts: Iterable[Encoded], whole: torch.nn.Embedding, padding: int | None
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Shape (table,). Which token ids occur, the one that pads included."""
    there = np.zeros(whole.num_embeddings, bool)
    there[[one for one in (padding, whole.padding_idx) if one is not None]] = True
    for encoded in texts:
        column = encoded.columns["input_ids"]
        values = column.values if isinstance(column, Ragged) else np.concatenate([np.asarray(row) for row in column])
        for at in range(0, len(values), AT_ONCE):
            there[values[at : at + AT_ONCE]] = True
    return there
