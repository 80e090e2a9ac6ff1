"""How to train, how many steps that takes, and what is given to a training and comes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.token_ids import Encoded

Schedule = Literal["linear", "cosine", "constant"]


@dataclass(frozen=True, slots=True)
class Techniques:
    """What makes a training fast. Each can be switched off to compare, and changes nothing but rounding and chance."""

    unpadded: bool = True
    """Rows one after the other without padding, where the architecture is known to allow it."""

    buckets: bool = True
    """Where rows are padded: those of one step in micro-batches of similar length."""

    first_position: bool = True
    """Of the last layer, compute only what the head reads, where the architecture is known."""

    fast_dropout: bool = True
    """On CPU, draw dropout masks 15 bits at a time instead of one random number per element."""

    fused_layers: bool = True
    """On a CPU and without padding, compute an encoder layer and its gradient in few passes over memory, where the
    architecture is known."""

    fused: bool = True
    """AdamW in one kernel."""

    occurring_tokens: bool = True
    """On a CPU, keep gradients and moments of those tokens alone that occur in the rows."""

    graphs: bool = True
    """On CUDA and without padding, launch a whole step at once where one of its shape was seen before."""


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
    schedule: Schedule = "linear"
    gradient_accumulation: int = 1
    """Batches per optimiser step."""

    early_stopping: int | None = None
    """Epochs without a better validation loss after which training stops; the best weights are kept."""

    techniques: Techniques = field(default_factory=Techniques)

    @property
    def rows_per_step(self) -> int:
        return self.batch_size * self.gradient_accumulation


def steps_per_epoch(n_rows: int, recipe: Recipe) -> int:
    """Optimiser steps in one pass over the rows; the last may be smaller."""
    return math.ceil(n_rows / recipe.rows_per_step)


def total_steps(n_rows: int, recipe: Recipe) -> int:
    """Optimiser steps of the whole training, as transformers' Trainer counts them."""
    steps = max(1, math.ceil(recipe.epochs * steps_per_epoch(n_rows, recipe)))
    return steps if recipe.max_steps is None else min(steps, recipe.max_steps)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The rate at a step: up over the warm-up, then as the schedule says; never quite 0, so that no step is wasted.

    Args:
        step: counted from 0, below `steps`.
    """
    rising = math.ceil(recipe.warmup * steps)
    if step < rising:
        return recipe.learning_rate * (step + 1) / (rising + 1)
    left = (steps - step) / (steps - rising)
    share = {"linear": left, "cosine": 0.5 * (1 - math.cos(math.pi * left)), "constant": 1.0}[recipe.schedule]
    return recipe.learning_rate * share


class NotFiniteError(ModelError):
    """The loss is no longer a number."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Rows that are looked at after every epoch."""

    encoded: Encoded
    labels: NDArray[Any]
    """Shape (n, …), as those of the training rows."""

    weights: NDArray[np.float32] | None = None
    """Shape (n,). What each row's loss counts; None: all the same."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a training may have beside its rows."""

    weights: NDArray[np.float32] | None = None
    """Shape (n,). What each row's loss counts; None: all the same."""

    validation: Validation | None = None
    """Needed for early stopping."""

    checkpoints: Path | None = None
    """This training's own folder to keep checkpoints in; None to keep none."""

    shared_device: bool = False
    """Whether other trainings use the device too: a step that lacks memory is then not cut into smaller parts."""

    checkpoint_seconds: float = 60.0
    """How often a checkpoint is written; after an epoch also sooner, where that costs little."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training was like."""

    loss: float
    """Mean of the last steps (at most 20)."""

    steps: int
    seconds_before: float
    """What an interrupted process had spent on it."""

    notes: tuple[str, ...] = ()
    """E.g. that it was stopped early, or went on from a checkpoint."""
