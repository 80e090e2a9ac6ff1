"""What a BERT-like encoder layer is made of, under one name for every architecture that is known here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

BERT_LIKE = frozenset(
    f"{name}ForSequenceClassification" for name in ("Bert", "Roberta", "XLMRoberta", "Camembert", "Electra")
)
KNOWN = BERT_LIKE | {"DistilBertForSequenceClassification"}
"""Their heads read the first token, and their layers are made of the parts below."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A layer: norm(x + out(attention(x))), then norm(y + down(activation(up(y))))."""

    query: torch.nn.Linear
    key: torch.nn.Linear
    value: torch.nn.Linear
    out: torch.nn.Linear
    first_norm: torch.nn.LayerNorm
    up: torch.nn.Linear
    activation: torch.nn.Module
    down: torch.nn.Linear
    second_norm: torch.nn.LayerNorm
    heads: int
    scaling: float
    """Of the scores."""

    shares_dropout: torch.nn.Dropout
    """Of attention's shares."""

    out_dropout: torch.nn.Dropout | None
    down_dropout: torch.nn.Dropout

    @property
    def weighted(self) -> tuple[torch.nn.Linear | torch.nn.LayerNorm, ...]:
        """All that have weights, in the order of computation."""
        return (
            self.query, self.key, self.value, self.out, self.first_norm, self.up, self.down, self.second_norm,
        )  # fmt: skip


def layers_of(model: Any) -> list[Any] | None:
    """The encoder layers of a model that is known here; None of any other.

    Such a model computes attention by torch's scaled_dot_product_attention, looks
    both ways, and has no part that `Parts` would leave out.
    """
    config = model.config
    known = type(model).__name__ in KNOWN
    if not known or config._attn_implementation != "sdpa" or getattr(config, "is_decoder", False):
        return None
    if getattr(config, "chunk_size_feed_forward", 0) or getattr(config, "add_cross_attention", False):
        return None
    base = model.base_model
    return list((base.encoder if type(model).__name__ in BERT_LIKE else base.transformer).layer)


def parts_of(model: Any, layer: Any) -> Parts:
    """A layer's parts, for a model whose `layers_of` are known."""
    return bert_parts(layer) if type(model).__name__ in BERT_LIKE else distilbert_parts(layer)


def bert_parts(layer: Any) -> Parts:
    asking, after = layer.attention.self, layer.attention.output
    return Parts(
        query=asking.query, key=asking.key, value=asking.value,
        out=after.dense, first_norm=after.LayerNorm,
        up=layer.intermediate.dense, activation=layer.intermediate.intermediate_act_fn,
        down=layer.output.dense, second_norm=layer.output.LayerNorm,
        heads=asking.num_attention_heads, scaling=asking.scaling,
        shares_dropout=asking.dropout, out_dropout=after.dropout, down_dropout=layer.output.dropout,
    )  # fmt: skip


def distilbert_parts(layer: Any) -> Parts:
    asking = layer.attention
    return Parts(
        query=asking.q_lin, key=asking.k_lin, value=asking.v_lin,
        out=asking.out_lin, first_norm=layer.sa_layer_norm,
        up=layer.ffn.lin1, activation=layer.ffn.activation,
        down=layer.ffn.lin2, second_norm=layer.output_layer_norm,
        heads=asking.n_heads, scaling=asking.scaling,
        shares_dropout=asking.dropout, out_dropout=None, down_dropout=layer.ffn.dropout,
    )  # fmt: skip


def rate_of(dropout: torch.nn.Dropout | None) -> float:
    """What a dropout layer drops as things stand: nothing in evaluation."""
    return dropout.p if dropout is not None and dropout.training else 0.0
