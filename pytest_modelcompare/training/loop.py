"""Fine-tuning: what is given to it, what it gives back. How it goes on is in `training/session.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.tokens import Encoded, Encoder
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Watch, silent
from pytest_modelcompare.training.losses import RowLosses as RowLosses
from pytest_modelcompare.training.losses import classification_losses as classification_losses
from pytest_modelcompare.training.recipe import Recipe as Recipe


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


def train(
    model: Any,
    encoder: Encoder,
    encoded: Encoded,
    labels: NDArray[Any],
    device: Device,
    recipe: Recipe,
    watch: Watch = silent,
    losses_of: RowLosses = classification_losses,
    extras: Extras | None = None,
) -> Trained:
    """Train in place; deterministic for a seed on a device, given torch's own seed at the start.

    Killed and called again with the same arguments, it goes on from its last checkpoint,
    and on a CPU of the same machine ends with the same weights, bit for bit.

    Args:
        labels: shape (n, …). What `losses_of` computes against, by row.

    Raises:
        NotFiniteError: the loss is no longer a number.
        ModelError: not even a single row fits the memory.
        OSError: a checkpoint cannot be written; the last one is kept.
    """
    from pytest_modelcompare.training.session import session_for
    from pytest_modelcompare.training.snapshot import resume

    with session_for(model, encoder, encoded, labels, device, recipe, losses_of, extras or Extras()) as session:
        resume(session)
        session.run(watch)
        return session.finish()
