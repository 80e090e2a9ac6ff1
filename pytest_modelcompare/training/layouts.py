"""How the rows of a step reach the model: padded in micro-batches, or one after the other without padding."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch

from pytest_modelcompare.inference.precision import half_type
from pytest_modelcompare.inference.token_ids import Encoded, Encoder
from pytest_modelcompare.records import Device
from pytest_modelcompare.training.cpu.fused_layer import fused_layers
from pytest_modelcompare.training.cpu.unpadded import Unpadded
from pytest_modelcompare.training.cuda.varlen import Kernel, Varlen, flash_attention, kernel_works, row_by_row
from pytest_modelcompare.training.encoder_layers import narrow_last_layer
from pytest_modelcompare.training.forward import Forward
from pytest_modelcompare.training.minibatches import OVERHEAD_TOKENS, Rows, cut_within_tokens, micro_batches
from pytest_modelcompare.training.recipe import Techniques

CLOSE = 1e-3
"""Logits without padding may differ this much from padded ones, in fp32, to be taken for the same."""


KERNELS: dict[str, Kernel] = {"cuda": flash_attention}
"""Device → attention over rows of any length."""


class Layout(Protocol):
    """Cuts rows into what is computed at once, and makes the model's input of it."""

    def cut(self, rows: Rows, budget: int) -> list[Rows]:
        """Rows in micro-batches of at most `budget` tokens, or of a single row."""

    def batch(self, rows: Rows) -> dict[str, torch.Tensor]:
        """A micro-batch's tensors, its rows in the order given."""


@dataclass(frozen=True, slots=True)
class Padded:
    """Rows padded to the longest of their micro-batch."""

    encoder: Encoder
    encoded: Encoded
    device: Device
    buckets: bool

    def cut(self, rows: Rows, budget: int) -> list[Rows]:
        if self.buckets:
            return micro_batches(self.encoded.lengths, rows, budget, OVERHEAD_TOKENS[self.device.kind])
        longest = np.full(len(self.encoded.lengths), self.encoded.lengths[rows].max())
        return cut_within_tokens(longest, rows, budget)

    def batch(self, rows: Rows) -> dict[str, torch.Tensor]:
        return self.encoder.batch(self.encoded, rows, self.device.kind)


@contextmanager
def layout_for(
    model: Any, encoder: Encoder, encoded: Encoded, device: Device, techniques: Techniques
) -> Iterator[tuple[Layout, Forward]]:
    """The fastest layout that this model is known to allow; while the context lasts, its last layer is changed.

    Tried first on a few rows with dropout off: should transformers change its models, training gets slow, not wrong.
    """
    forward = Forward(fast_dropout=techniques.fast_dropout)
    padded = Padded(encoder, encoded, device, techniques.buckets)
    change = narrow_last_layer(model, forward, enabled=techniques.first_position)
    if change is None or not (techniques.unpadded or techniques.first_position):
        yield padded, forward
        return
    rows = probe_rows(encoded)
    expected = probe_logits(model, forward, padded, rows)
    layout = (unpadded_for(model, encoded, forward, device) if techniques.unpadded else None) or padded
    # the kernel itself was tried before, and is for half precision alone
    tried = replace(layout, kernel=row_by_row) if isinstance(layout, Varlen) else layout
    with ExitStack() as changes:
        changes.enter_context(change)
        changes.enter_context(fused_layers(model, forward, enabled=techniques.fused_layers))
        found = probe_logits(model, forward, tried, rows)
        if found.shape == expected.shape and bool((found - expected).abs().max() < CLOSE):
            yield layout, forward
            return
    yield padded, forward


def unpadded_for(model: Any, encoded: Encoded, forward: Forward, device: Device) -> Layout | None:
    """On a CPU attention in groups; elsewhere by a kernel for rows of any length, where it does what it should."""
    kernel, first = KERNELS.get(device.kind), first_number(model)
    if kernel is None:
        return Unpadded(encoded, forward, first) if device.kind == "cpu" else None
    heads, half = int(model.config.num_attention_heads), half_type(device)
    width = int(model.config.hidden_size) // heads
    p = float(getattr(model.config, "attention_probs_dropout_prob", getattr(model.config, "attention_dropout", 0.0)))
    with torch.random.fork_rng(range(torch.cuda.device_count()) if device.kind == "cuda" else []):
        right = kernel_works(kernel, heads, width, device.kind, half or torch.float32, p)
    return Varlen(encoded, forward, first, kernel, device.kind) if right else None


def first_number(model: Any) -> int:
    """RoBERTa and its kin number positions from the padding token's id on."""
    roberta_like = "roberta" in model.config.model_type or model.config.model_type == "camembert"
    return int(model.config.pad_token_id) + 1 if roberta_like else 0


def probe_rows(encoded: Encoded) -> Rows:
    """Rows of different lengths, longest first."""
    order = np.argsort(-encoded.lengths[:64], kind="stable")
    return order[:: max(1, len(order) // 4)][:4]


def probe_logits(model: Any, forward: Forward, layout: Layout, rows: Rows) -> torch.Tensor:
    """The rows' logits in fp32, dropout off; shape (rows, n_labels)."""
    training = model.training
    model.eval()
    with torch.no_grad(), forward:
        found: torch.Tensor = model(**layout.batch(rows)).logits.float()
    forward.packing = None
    model.train(training)
    return found
