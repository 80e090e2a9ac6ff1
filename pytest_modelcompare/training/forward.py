"""How a model's forward pass is computed while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from pytest_modelcompare.training.cpu.fast_dropout import attention_with_dropout, fast_dropout


class PackedRows(Protocol):
    """How rows lie one after the other, in a layout without padding."""

    @property
    def starts(self) -> torch.Tensor:
        """Shape (rows,). Where each row's first token stands."""

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout_p: float, scale: float | None
    ) -> torch.Tensor:
        """torch's scaled_dot_product_attention, every row to itself alone."""


class Forward(TorchFunctionMode):
    """While it is entered: dropout drawn cheaply, and attention that knows where packed rows begin."""

    def __init__(self, *, fast_dropout: bool) -> None:
        super().__init__()
        self.fast_dropout = fast_dropout
        self.packing: PackedRows | None = None

    def __torch_function__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is functional.scaled_dot_product_attention:
            return self.attend(*args, **(kwargs or {}))
        if func is functional.dropout and self.fast_dropout:
            return fast_dropout(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> torch.Tensor:
        """torch's scaled_dot_product_attention, within packed rows where there are any."""
        if self.packing is not None:
            assert attn_mask is None or attn_mask.numel() == 1  # one that hides nothing
            assert not is_causal
            return self.packing.attend(query, key, value, dropout_p, scale)
        if self.fast_dropout and query.device.type == "cpu":
            return attention_with_dropout(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
