"""Of the last layer, only what a classification head reads: the first token of every row."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from pytest_modelcompare.training.forward import Forward
from pytest_modelcompare.training.layer_parts import Parts, layers_of, parts_of, rate_of

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
        found = self.answers(first, states, None if attention_mask is None else attention_mask[:, :, :1])
        return found if packing is None else found.transpose(0, 1)  # (1, rows, width) as (rows, 1, width)

    def answers(self, first: torch.Tensor, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        parts = self.parts
        asked = parts.query(first), parts.key(states), parts.value(states)
        heard = parts.out(attend(*asked, mask, parts))
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


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, parts: Parts
) -> torch.Tensor:
    """Attention of projected states (batch, tokens, heads · width), as many answers as queries."""
    query, key, value = (one.view(*one.shape[:2], parts.heads, -1).transpose(1, 2) for one in (query, key, value))
    found = functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=rate_of(parts.shares_dropout), scale=parts.scaling
    )
    return found.transpose(1, 2).flatten(2)
