"""The fine-tuning loop: plain AdamW over batches of similar length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.precision import autocast
from pytest_modelcompare.inference.tokens import Encoded, Encoder
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Progress, Watch, silent

if TYPE_CHECKING:
    import torch

LARGEST_GRADIENT = 1.0
"""Gradients are scaled down to this norm."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train."""

    epochs: float
    learning_rate: float
    batch_size: int
    warmup: float
    weight_decay: float
    seed: int
    max_steps: int | None = None


def train(
    model: Any,
    encoder: Encoder,
    encoded: Encoded,
    labels: NDArray[np.int64],
    device: Device,
    recipe: Recipe,
    watch: Watch = silent,
) -> float:
    """Train in place; deterministic for a seed on a device, given torch's own seed at the start.

    Returns:
        The mean loss of the last steps (at most 20).

    Raises:
        ModelError: the loss is no longer a number.
    """
    import torch

    model.train()
    steps = total_steps(len(labels), recipe)
    optimizer = torch.optim.AdamW(parameter_groups(model, recipe.weight_decay), lr=recipe.learning_rate, fused=True)
    losses: list[float] = []
    for step, rows in enumerate(training_batches(encoded.lengths, recipe.batch_size, recipe.seed, steps)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * linear_schedule(step, steps, recipe.warmup)
        batch = encoder.batch(encoded, rows, device.kind)
        with autocast(device):
            logits = model(**batch).logits.float()  # (batch, n_labels)
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[rows]).to(device.kind))
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(finite(loss.item(), step, recipe))
        epoch = math.ceil((step + 1) * recipe.epochs / steps)
        note = f"epoch {epoch} of {math.ceil(recipe.epochs)}, loss {np.mean(losses[-20:]):.2f}"
        watch(Progress(step + 1, steps, note))
    return float(np.mean(losses[-20:]))


def finite(loss: float, step: int, recipe: Recipe) -> float:
    if not math.isfinite(loss):
        raise ModelError(
            f"training failed: the loss is {loss} at step {step + 1}",
            fix=f"lower the learning rate (now {recipe.learning_rate:g}), or say `precision: fp32`",
        )
    return loss


def total_steps(n_rows: int, recipe: Recipe) -> int:
    steps = max(1, math.ceil(recipe.epochs * n_rows / recipe.batch_size))
    return steps if recipe.max_steps is None else min(steps, recipe.max_steps)


def linear_schedule(step: int, steps: int, warmup: float) -> float:
    """The share of the highest learning rate at a step: up over the warm-up, then down to 0 after the last."""
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    return (steps - step) / (steps - rising)


def training_batches(lengths: NDArray[np.int64], size: int, seed: int, steps: int) -> Iterator[NDArray[np.int64]]:
    """Row numbers, step by step: every epoch shuffled, then sorted by length within 50 batches, batches shuffled."""
    random = np.random.default_rng(seed)
    given = 0
    while given < steps:
        order = random.permutation(len(lengths))
        pools = [order[at : at + 50 * size] for at in range(0, len(order), 50 * size)]
        arranged = [pool[np.argsort(-lengths[pool], kind="stable")] for pool in pools]
        batches = [pool[at : at + size] for pool in arranged for at in range(0, len(pool), size)]
        for number in random.permutation(len(batches))[: steps - given]:
            yield batches[number]
            given += 1


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and norms, which have one dimension, do not."""
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    return [
        {"params": [weights for weights in trained if weights.ndim > 1], "weight_decay": weight_decay},
        {"params": [weights for weights in trained if weights.ndim <= 1], "weight_decay": 0.0},
    ]
