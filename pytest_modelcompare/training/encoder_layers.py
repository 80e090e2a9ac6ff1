"""The encoder layers of architectures known here: what they are made of, and of the last only what a head reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from pytest_modelcompare.training.forward import Forward

BERT_LIKE = frozenset(
    f"{name}ForSequenceClassification" for name in ("Bert", "Roberta", "XLMRoberta", "Camembert", "Electra")
)
KNOWN = BERT_LIKE | {"DistilBertForSequenceClassification"}
"""Their heads read the first token, and their layers are made of the parts below."""

WHOLE = frozenset({"AlbertForSequenceClassification"})
"""Their heads read the first token too, but their last layer is also an earlier one."""


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


def narrow_last_layer(model: Any, forward: Forward, *, enabled: bool) -> FirstPosition | FirstOfOutput | None:
    """While it is entered, packed rows reach the head of a model that is known here as it expects them; None of any
    other model.

    Args:
        enabled: whether the last layer computes only what the head reads, where it can.
    """
    if type(model).__name__ in WHOLE and model.config._attn_implementation == "sdpa":
        return FirstOfOutput(model.base_model.encoder, forward)
    layers = layers_of(model)
    return None if layers is None else FirstPosition(layers[-1], parts_of(model, layers[-1]), forward, enabled=enabled)


class FirstPosition:
    """The last layer's forward pass while it is entered: from (batch, tokens, width) to (batch, 1, width).

    Keys and values come from every token, queries and everything after them from the first.
    """

    def __init__(self, layer: Any, parts: Parts, forward: Forward, *, enabled: bool) -> None:
        self.layer, self.parts, self.mode, self.enabled = layer, parts, forward, enabled

    def __enter__(self) -> FirstPosition:
        self.whole = self.layer.forward
        self.layer.forward = self.forward
        return self

    def __exit__(self, *exception: object) -> None:
        del self.layer.forward  # the class's own is seen again

    def forward(
        self, states: torch.Tensor, attention_mask: torch.Tensor | None = None, *others: Any, **named: Any
    ) -> torch.Tensor:
        packing = self.mode.packing
        if not self.enabled:
            whole: torch.Tensor = self.whole(states, attention_mask, *others, **named)
            return whole if packing is None else whole[:, packing.starts].transpose(0, 1)
        first = states[:, :1] if packing is None else states[:, packing.starts]
        found = self.compute_first(first, states, None if attention_mask is None else attention_mask[:, :, :1])
        return found if packing is None else found.transpose(0, 1)  # (1, rows, width) as (rows, 1, width)

    def compute_first(self, first: torch.Tensor, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        parts = self.parts
        asked = parts.query(first), parts.key(states), parts.value(states)
        heard = parts.out(attend_projected(*asked, mask, parts))
        if parts.out_dropout is not None:
            heard = parts.out_dropout(heard)
        middle = parts.first_norm(heard + first)
        found: torch.Tensor = parts.second_norm(
            parts.down_dropout(parts.down(parts.activation(parts.up(middle)))) + middle
        )
        return found


class FirstOfOutput:
    """Of what all layers give, (1, tokens, width) of packed rows, the first token of every row: (rows, 1, width)."""

    def __init__(self, encoder: Any, forward: Forward) -> None:
        self.encoder, self.mode = encoder, forward

    def __enter__(self) -> FirstOfOutput:
        self.hook = self.encoder.register_forward_hook(self.first)
        return self

    def __exit__(self, *exception: object) -> None:
        self.hook.remove()

    def first(self, _: Any, __: Any, found: Any) -> Any:
        packing = self.mode.packing
        if packing is not None:
            found.last_hidden_state = found.last_hidden_state[:, packing.starts].transpose(0, 1)
        return found


def attend_projected(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, parts: Parts
) -> torch.Tensor:
    """Attention of projected states (batch, tokens, heads · width), as many answers as queries."""
    query, key, value = (one.view(*one.shape[:2], parts.heads, -1).transpose(1, 2) for one in (query, key, value))
    found = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=rate_of(parts.shares_dropout), scale=parts.scaling
    )
    return found.transpose(1, 2).flatten(2)
