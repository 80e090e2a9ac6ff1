"""Of the last layer, only what a classification head reads: the first token of every row."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from pytest_modelcompare.training.forward import Forward

BERT_LIKE = frozenset(
    f"{name}ForSequenceClassification" for name in ("Bert", "Roberta", "XLMRoberta", "Camembert", "Electra")
)
KNOWN = BERT_LIKE | {"DistilBertForSequenceClassification"}
"""Their heads read the first token, and their layers are made of the parts used below."""


WHOLE = frozenset({"AlbertForSequenceClassification"})
"""Their heads read the first token too, but their last layer is also an earlier one."""


def cut_short(model: Any, forward: Forward, *, enabled: bool) -> FirstPosition | FirstOfOutput | None:
    """While it is entered, packed rows reach the head of a model that is known here as it expects them; None of any
    other model.

    Args:
        enabled: whether the last layer computes only what the head reads, where it can.
    """
    if type(model).__name__ in WHOLE and model.config._attn_implementation == "sdpa":
        return FirstOfOutput(model.base_model.encoder, forward)
    layer = last_layer(model)
    return None if layer is None else FirstPosition(model, layer, forward, enabled=enabled)


def last_layer(model: Any) -> Any | None:
    """The last encoder layer of a model that is known here; None of any other.

    Such a model computes attention by torch's scaled_dot_product_attention, looks
    both ways, and has no part that this code would leave out.
    """
    config = model.config
    known = type(model).__name__ in KNOWN
    if not known or config._attn_implementation != "sdpa" or getattr(config, "is_decoder", False):
        return None
    if getattr(config, "chunk_size_feed_forward", 0) or getattr(config, "add_cross_attention", False):
        return None
    base = model.base_model
    return (base.encoder if type(model).__name__ in BERT_LIKE else base.transformer).layer[-1]


class FirstPosition:
    """The last layer's forward pass while it is entered: from (batch, tokens, width) to (batch, 1, width).

    Keys and values come from every token, queries and everything after them from the first.
    """

    def __init__(self, model: Any, layer: Any, forward: Forward, *, enabled: bool) -> None:
        self.layer, self.mode, self.enabled = layer, forward, enabled
        self.bert_like = type(model).__name__ in BERT_LIKE

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
        mask = None if attention_mask is None else attention_mask[:, :, :1]
        found = self.bert(first, states, mask) if self.bert_like else self.distilbert(first, states, mask)
        return found if packing is None else found.transpose(0, 1)  # (1, rows, width) as (rows, 1, width)

    def bert(self, first: torch.Tensor, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        attention = self.layer.attention.self
        asked = attention.query(first), attention.key(states), attention.value(states)
        seen = attend(*asked, mask, attention.attention_head_size, attention.scaling, attention.dropout)
        attended = self.layer.attention.output(seen, first)
        found: torch.Tensor = self.layer.output(self.layer.intermediate(attended), attended)
        return found

    def distilbert(self, first: torch.Tensor, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        attention = self.layer.attention
        asked = attention.q_lin(first), attention.k_lin(states), attention.v_lin(states)
        seen = attend(*asked, mask, attention.attention_head_size, attention.scaling, attention.dropout)
        attended = self.layer.sa_layer_norm(attention.out_lin(seen) + first)
        found: torch.Tensor = self.layer.output_layer_norm(self.layer.ffn(attended) + attended)
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


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    width: int,
    scale: float,
    dropout: torch.nn.Dropout,
) -> torch.Tensor:
    """Attention of projected states (batch, tokens, heads · width), as many answers as queries."""
    query, key, value = (one.view(*one.shape[:2], -1, width).transpose(1, 2) for one in (query, key, value))
    p = dropout.p if dropout.training else 0.0
    found = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=p, scale=scale)
    return found.transpose(1, 2).flatten(2)
