"""Fine-tuning: step after step, checkpoint after checkpoint, until validation gets no better."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.inference.token_ids import Encoded, Encoder
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Progress, Watch, silent
from pytest_modelcompare.training import checkpoint
from pytest_modelcompare.training.cpu.occurring_tokens import occurring_tokens
from pytest_modelcompare.training.cuda.graphs import graphs_for
from pytest_modelcompare.training.layouts import Padded, layout_for
from pytest_modelcompare.training.losses import RowLosses, classification_losses
from pytest_modelcompare.training.minibatches import step_rows, with_next
from pytest_modelcompare.training.recipe import (
    Extras,
    NotFiniteError,
    Recipe,
    Trained,
    Validation,
    learning_rate,
    steps_per_epoch,
    total_steps,
)
from pytest_modelcompare.training.step import Stepper, optimizer_for

RECENT = 20
"""Steps over which the loss shown is averaged."""

SHARE_FOR_CHECKPOINTS = 0.05
"""After an epoch a checkpoint is written where it takes at most this share of the time since the last one."""


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
        CrowdedError: memory does not suffice on a device that is shared.
        OSError: a checkpoint cannot be written; the last one is kept.
    """
    from pytest_modelcompare.training.loop import resume, session_for

    with session_for(model, encoder, encoded, labels, device, recipe, losses_of, extras or Extras()) as session:
        resume(session)
        session.run(watch)
        return session.finish()


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
        stepper.shared_device = extras.shared_device
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
            self.losses.append(self.require_finite(self.stepper.step(rows, rate, coming)))
            ended = len(self.losses) % self.per_epoch == 0 or len(self.losses) == self.steps
            if ended and self.early is not None:
                self.early.look(self.epoch)
            if self.checkpoint_is_due(ended):
                began = time.monotonic()
                write_snapshot(self)
                self.written = time.monotonic()
                self.writing = self.written - began
            watch(self.progress(ended))

    def require_finite(self, loss: float) -> float:
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


def checkpoint_conditions(session: Session) -> checkpoint.Facts:
    """A checkpoint made under other ones is of no use: the weights would come of a mixture."""
    return {
        "device": session.stepper.device.kind,
        "precision": session.stepper.device.precision,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "rows": len(session.stepper.labels),
        "recipe": asdict(session.recipe),
    }


def write_snapshot(session: Session) -> None:
    """Replace the last checkpoint: weights, optimiser, random states, steps taken (the order of rows follows from
    seed and epoch), early stopping, and what memory allowed.

    Raises:
        OSError: the disk is full; the last checkpoint is kept.
    """
    assert session.extras.checkpoints is not None
    stepper, early = session.stepper, session.early
    tensors = {
        "model": checkpoint.model_tensors(stepper.model),
        "optimizer": checkpoint.optimizer_tensors(stepper.optimizer),
        "random": checkpoint.random_tensors(stepper.device.kind),
        "best": {} if early is None else early.weights,
    }
    facts = {
        "conditions": checkpoint_conditions(session),
        "threads": torch.get_num_threads(),
        "losses": session.losses,
        "seconds": session.seconds_before + time.monotonic() - session.started,
        "random": checkpoint.random_facts(),
        "scaler": stepper.scaler.state_dict(),
        "budget": stepper.budget,
        "notes": stepper.notes,
        "validation_losses": None if early is None else early.losses,
    }
    named = {f"{part}/{name}": one for part, some in tensors.items() for name, one in some.items()}
    checkpoint.write_checkpoint(session.extras.checkpoints, named, facts)


def resume(session: Session) -> None:
    """Go on from the last snapshot, where there is one of the same training."""
    folder, stepper = session.extras.checkpoints, session.stepper
    found = None if folder is None else checkpoint.read_checkpoint(folder, checkpoint_conditions(session))
    if found is None:
        return
    tensors, facts = found
    torch.set_num_threads(facts.get("threads", torch.get_num_threads()))  # other numbers of threads round otherwise
    checkpoint.set_model_tensors(stepper.model, checkpoint.tensors_under(tensors, "model/"))
    checkpoint.set_optimizer_tensors(stepper.optimizer, checkpoint.tensors_under(tensors, "optimizer/"))
    checkpoint.set_random(checkpoint.tensors_under(tensors, "random/"), facts["random"])
    stepper.scaler.load_state_dict(facts["scaler"])
    stepper.budget, stepper.notes = facts["budget"], facts["notes"]
    if session.early is not None:
        session.early.losses = facts["validation_losses"]
        session.early.weights = checkpoint.tensors_under(tensors, "best/")
    session.losses, session.seconds_before = facts["losses"], facts["seconds"]
    session.begun_at = len(session.losses)
    session.notes.append(f"went on from a checkpoint at step {session.begun_at} of {session.steps}")


@dataclass
class EarlyStopping:
    """Looks at the validation rows after every epoch."""

    stepper: Stepper
    """Computes the loss over the validation rows; shares its model with the training."""

    patience: int
    losses: list[float] = field(default_factory=list)
    """Of every epoch so far."""

    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    """With which the loss was lowest."""

    @classmethod
    def of(
        cls, recipe: Recipe, validation: Validation | None, stepper: Stepper, encoder: Encoder
    ) -> EarlyStopping | None:
        """None where the recipe wants none.

        Raises:
            DataError: there are no validation rows.
        """
        if recipe.early_stopping is None:
            return None
        if validation is None or len(validation.labels) == 0:
            raise DataError("early stopping needs validation rows", fix="name them: `data: {validation: 0.1}`")
        weights = validation.weights
        looking = replace(
            stepper,
            labels=validation.labels,
            weights=np.ones(len(validation.labels), np.float32) if weights is None else weights,
            layout=Padded(encoder, validation.encoded, stepper.device, buckets=True),
            notes=[],
        )
        return cls(looking, recipe.early_stopping)

    @property
    def last(self) -> float:
        return self.losses[-1]

    @property
    def best(self) -> int:
        """The epoch with the lowest loss, counted from 1."""
        return int(np.argmin(self.losses)) + 1

    @property
    def over(self) -> bool:
        return bool(self.losses) and len(self.losses) - self.best >= self.patience

    def look(self, epoch: int) -> None:
        """Compute the loss after an epoch; keep the weights if it is the lowest."""
        assert epoch == len(self.losses) + 1
        self.stepper.forward.packing = None
        loss = self.stepper.mean_loss(np.arange(len(self.stepper.labels)))
        self.losses.append(loss if math.isfinite(loss) else math.inf)
        if self.best == epoch:
            self.weights = {name: one.clone() for name, one in checkpoint.model_tensors(self.stepper.model).items()}

    def take_best(self, epoch: int, epochs: int) -> str:
        """Set the weights with which the loss was lowest; says so."""
        checkpoint.set_model_tensors(self.stepper.model, self.weights)
        stopped = f"stopped early, after epoch {epoch} of {epochs}" if epoch < epochs else f"trained {epochs} epochs"
        return f"{stopped}; kept the weights after epoch {self.best} (validation loss {min(self.losses):.3f})"
