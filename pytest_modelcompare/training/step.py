"""One optimiser step: gradients over micro-batches, and what is done when memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.precision import autocast
from pytest_modelcompare.records import Device
from pytest_modelcompare.training.forward import Forward
from pytest_modelcompare.training.layouts import Layout
from pytest_modelcompare.training.losses import RowLosses
from pytest_modelcompare.training.minibatches import Rows
from pytest_modelcompare.training.recipe import Recipe

LARGEST_GRADIENT = 1.0
"""Gradients are scaled down to this norm."""

ADDED = 1e-6
"""By torch to a norm before it divides by it."""

MOST_TOKENS = 16_384
"""Tokens of one micro-batch."""


class CrowdedError(Exception):
    """Memory does not suffice beside other trainings; alone it may."""


class StepReplayer(Protocol):
    """Takes whole steps that were recorded before, in one launch."""

    def step(self, stepper: Stepper, rows: Rows, coming: Rows | None) -> float | None:
        """Take a step, and make ready for the rows of the next; the loss, or None where it must be taken as usual."""


@dataclass
class Stepper:
    """A model with its optimiser, taking steps."""

    model: Any
    labels: NDArray[Any]
    """Shape (n, …). What the losses are computed against, by row."""

    weights: NDArray[np.float32]
    """Shape (n,). What each row's loss counts."""

    device: Device
    layout: Layout
    forward: Forward
    losses_of: RowLosses
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    budget: int = MOST_TOKENS
    shared_device: bool = False
    """Whether other trainings use the device too: who lacks memory then comes back when it is alone."""

    notes: list[str] = field(default_factory=list)
    graphs: StepReplayer | None = None
    """Where steps are recorded and replayed; None: nowhere."""

    def step(self, rows: Rows, rate: float, coming: Rows | None = None) -> float:
        """Update the weights by the mean loss over the rows, whatever micro-batches it is computed in.

        Args:
            coming: the rows of the next step, if there is one.

        Returns:
            the loss.

        Raises:
            ModelError: a single row is too much for the memory.
            CrowdedError: memory does not suffice on a device that is shared.
        """
        set_rate(self.optimizer, rate)
        loss = None if self.graphs is None else self.graphs.step(self, rows, coming)
        if loss is not None:
            return loss
        loss = self.gradients(rows)
        while loss is None:
            self.make_room(rows)
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.gradients(rows)
        self.update()
        return loss

    def update(self) -> None:
        """Take the gradients that are there."""
        self.scaler.unscale_(self.optimizer)
        clip_gradients(self.model, self.device.kind)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)

    def whole_step(
        self, batch: Mapping[str, torch.Tensor], labels: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """Update the weights by what is on the device already; nothing is waited for."""
        loss = self.weighted_loss(batch, labels, weights)
        torch.autograd.backward(loss)
        self.update()
        return loss.detach()

    def gradients(self, rows: Rows) -> float | None:
        """Sum the gradients over micro-batches; None where memory did not suffice."""
        total = float(self.weights[rows].sum())
        return self.sum_micro_batches(rows, lambda some: self.backward_part(some, total))

    def sum_micro_batches(self, rows: Rows, work: Callable[[Rows], torch.Tensor]) -> float | None:
        """The sum over micro-batches; None where memory did not suffice."""
        try:
            parts = [work(some) for some in self.layout.cut(rows, self.budget)]
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            return None
        return float(torch.stack(parts).sum().item())

    def backward_part(self, rows: Rows, total: float) -> torch.Tensor:
        loss = self.loss(rows, total)
        torch.autograd.backward(self.scaler.scale(loss))
        return loss.detach()

    def loss(self, rows: Rows, total: float) -> torch.Tensor:
        """The rows' share of the loss."""
        kind = self.device.kind
        labels, weights = torch.from_numpy(self.labels[rows]), torch.from_numpy(self.weights[rows] / total)
        return self.weighted_loss(self.layout.batch(rows), labels.to(kind), weights.to(kind))

    def weighted_loss(
        self, batch: Mapping[str, torch.Tensor], labels: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        return (self.row_losses(batch, labels) * weights).sum()

    def row_losses(self, batch: Mapping[str, torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        """Shape (rows,), in fp32."""
        with self.forward, autocast(self.device):
            return self.losses_of(self.model, batch, labels).float()

    def mean_loss(self, rows: Rows) -> float:
        """The weighted mean loss over any number of rows, dropout off, nothing learnt."""
        total = float(self.weights[rows].sum())
        self.model.eval()
        with torch.no_grad():
            while (loss := self.sum_micro_batches(rows, lambda some: self.loss(some, total))) is None:
                self.make_room(rows)
        self.model.train()
        return loss

    def make_room(self, rows: Rows) -> None:
        """Compute less at once.

        Raises:
            CrowdedError: on a device that is shared.
            ModelError: a single row is too much.
        """
        if self.shared_device:
            raise CrowdedError
        self.halve(rows)

    def halve(self, rows: Rows) -> None:
        """Halve what is computed at once; the step's rows, and so the result but for rounding, stay the same."""
        before = self.layout.cut(rows, self.budget)
        if max(map(len, before)) == 1:
            raise ModelError("out of memory with a single row", fix="lower max_length, or take a smaller model")
        while len(self.layout.cut(rows, self.budget)) == len(before):
            self.budget //= 2
        self.notes.append(f"out of memory: from then on at most {self.budget:,} tokens at once, gradients accumulated")


def clip_gradients(model: torch.nn.Module, kind: str) -> None:
    """Scale gradients down to `LARGEST_GRADIENT` as torch's `clip_grad_norm_`, with the same result.

    That one multiplies every gradient, by 1 where the norm is small enough, so that a GPU is not waited for. A CPU is
    asked, and spared the pass over all of them.
    """
    if kind != "cpu":
        torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
        return
    trained = [one for one in model.parameters() if one.grad is not None]
    norm = torch.nn.utils.get_total_norm([one.grad for one in trained if one.grad is not None])
    if not norm <= LARGEST_GRADIENT - 2 * ADDED:  # a norm that is no number is none of the small ones
        torch.nn.utils.clip_grads_with_norm_(trained, LARGEST_GRADIENT, norm)


def out_of_memory(error: BaseException) -> bool:
    """Whether memory did not suffice: CUDA has an error of its own, a CPU's allocator says so in words."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def optimizer_for(model: torch.nn.Module, recipe: Recipe, kind: str) -> torch.optim.Optimizer:
    """AdamW; on CUDA its rate is a tensor, which a recorded step reads."""
    groups, recordable = parameter_groups(model, recipe.weight_decay), kind == "cuda"
    rate = torch.tensor(recipe.learning_rate, device=kind) if recordable else recipe.learning_rate
    return torch.optim.AdamW(groups, lr=rate, fused=recipe.techniques.fused, capturable=recordable)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and norms, which have one dimension, do not."""
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    return [
        {"params": [weights for weights in trained if weights.ndim > 1], "weight_decay": weight_decay},
        {"params": [weights for weights in trained if weights.ndim <= 1], "weight_decay": 0.0},
    ]
