"""A training under way: step after step, checkpoint after checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_modelcompare.inference.tokens import Encoded, Encoder
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Progress, Watch
from pytest_modelcompare.training import snapshot
from pytest_modelcompare.training.batches import step_rows, with_next
from pytest_modelcompare.training.early_stopping import EarlyStopping
from pytest_modelcompare.training.graphs import graphs_for
from pytest_modelcompare.training.layouts import layout_for
from pytest_modelcompare.training.loop import Extras, NotFiniteError, Trained
from pytest_modelcompare.training.losses import RowLosses
from pytest_modelcompare.training.recipe import Recipe, learning_rate, steps_per_epoch, total_steps
from pytest_modelcompare.training.step import Stepper, optimizer_for
from pytest_modelcompare.training.vocabulary import occurring_tokens

RECENT = 20
"""Steps over which the loss shown is averaged."""

SHARE_FOR_CHECKPOINTS = 0.05
"""After an epoch a checkpoint is written where it takes at most this share of the time since the last one."""


@contextmanager
def session_for(
    model: Any,
    encoder: Encoder,
    encoded: Encoded,
    labels: NDArray[Any],
    device: Device,
    recipe: Recipe,
    losses_of: RowLosses,
    extras: Extras,
) -> Iterator[Session]:
    """A training that has not begun, with everything it needs."""
    model.train()
    texts = [encoded] if extras.validation is None else [encoded, extras.validation.encoded]
    with (
        occurring_tokens(model, texts, device.kind, enabled=recipe.techniques.occurring_tokens),
        layout_for(model, encoder, encoded, device, recipe.techniques) as (layout, forward),
    ):
        weights = np.ones(len(labels), np.float32) if extras.weights is None else extras.weights
        scaler = torch.amp.GradScaler(device.kind, enabled=device.precision == "fp16")
        optimizer = optimizer_for(model, recipe, device.kind)
        stepper = Stepper(model, labels, weights, device, layout, forward, losses_of, optimizer, scaler)
        early = EarlyStopping.of(recipe, extras.validation, stepper, encoder)
        stepper.graphs = graphs_for(stepper, recipe)
        try:
            yield Session(stepper, recipe, extras, early, total_steps(len(labels), recipe))
        finally:
            stepper.graphs = None  # recorded steps hold the model, the optimiser and each other's memory


@dataclass
class Session:
    """Where a training stands."""

    stepper: Stepper
    recipe: Recipe
    extras: Extras
    early: EarlyStopping | None
    steps: int
    losses: list[float] = field(default_factory=list)
    """Of every step so far."""

    seconds_before: float = 0.0
    notes: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    begun_at: int = 0
    """The step at which this process began."""

    written: float = field(default_factory=time.monotonic)
    """When the last checkpoint was written."""

    writing: float = 0.5
    """Seconds that the last one took; at first a guess."""

    @property
    def per_epoch(self) -> int:
        return steps_per_epoch(len(self.stepper.labels), self.recipe)

    @property
    def done(self) -> bool:
        return len(self.losses) == self.steps or (self.early is not None and self.early.over)

    def run(self, watch: Watch) -> None:
        """Take the steps that are left."""
        n, first = len(self.stepper.labels), len(self.losses)
        for rows, coming in with_next(step_rows(n, self.recipe.rows_per_step, self.recipe.seed, first, self.steps)):
            if self.done:
                break
            rate = learning_rate(self.recipe, len(self.losses), self.steps)
            self.losses.append(self.finite(self.stepper.step(rows, rate, coming)))
            ended = len(self.losses) % self.per_epoch == 0 or len(self.losses) == self.steps
            if ended and self.early is not None:
                self.early.look(self.epoch)
            if self.checkpoint_is_due(ended):
                began = time.monotonic()
                snapshot.write(self)
                self.written = time.monotonic()
                self.writing = self.written - began
            watch(self.progress(ended))

    def finite(self, loss: float) -> float:
        if math.isfinite(loss):
            return loss
        raise NotFiniteError(
            f"training failed: the loss is {loss} at step {len(self.losses) + 1}",
            fix=f"lower the learning rate (now {self.recipe.learning_rate:g})",
        )

    @property
    def epoch(self) -> int:
        """The epoch of the last step, counted from 1."""
        return math.ceil(len(self.losses) / self.per_epoch)

    def progress(self, ended: bool) -> Progress:
        """How far it is; at the end of an epoch worth a line of its own, with the epoch's mean loss."""
        done = len(self.losses)
        some = self.losses[-((done - 1) % self.per_epoch + 1) :] if ended else self.losses[-RECENT:]
        parts = [f"epoch {self.epoch} of {math.ceil(self.recipe.epochs)}", f"loss {np.mean(some):.3f}"]
        if ended and self.early is not None:
            parts.append(f"validation loss {self.early.last:.3f}")
        a_step = max(time.monotonic() - self.started, 1e-9) / (done - self.begun_at)
        rows = len(self.stepper.labels) / self.per_epoch
        parts.append(f"{rows / a_step:,.0f} rows/s")
        return Progress(done, self.steps, ", ".join(parts), milestone=ended)

    def checkpoint_is_due(self, ended: bool) -> bool:
        if self.extras.checkpoints is None or self.done:
            return False
        since = time.monotonic() - self.written
        return since >= self.extras.checkpoint_seconds or (ended and self.writing <= SHARE_FOR_CHECKPOINTS * since)

    def finish(self) -> Trained:
        """Take the best weights, where validation says which they are.

        Raises:
            NotFiniteError: the last step's gradients were no numbers, which its loss could not show.
        """
        notes = [*self.notes, *self.stepper.notes]
        if self.early is not None:
            notes.append(self.early.take_best(self.epoch, math.ceil(self.recipe.epochs)))
        if not all(bool(weights.isfinite().all()) for weights in self.stepper.model.parameters()):
            raise NotFiniteError(
                "training failed: the weights are no numbers after the last step",
                fix=f"lower the learning rate (now {self.recipe.learning_rate:g})",
            )
        return Trained(float(np.mean(self.losses[-RECENT:])), len(self.losses), self.seconds_before, tuple(notes))
