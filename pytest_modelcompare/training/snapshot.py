"""Everything that decides how a training goes on, to its checkpoint and back."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
import transformers

from pytest_modelcompare.training import checkpoint

if TYPE_CHECKING:
    from pytest_modelcompare.training.session import Session


def conditions(session: Session) -> checkpoint.Facts:
    """A checkpoint made under other ones is of no use: the weights would come of a mixture."""
    return {
        "device": session.stepper.device.kind,
        "precision": session.stepper.device.precision,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "rows": len(session.stepper.labels),
        "recipe": asdict(session.recipe),
    }


def write(session: Session) -> None:
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
        "conditions": conditions(session),
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
    """Go on from the last checkpoint, where there is one of the same training."""
    folder, stepper = session.extras.checkpoints, session.stepper
    found = None if folder is None else checkpoint.read_checkpoint(folder, conditions(session))
    if found is None:
        return
    tensors, facts = found
    torch.set_num_threads(facts.get("threads", torch.get_num_threads()))  # other numbers of threads round otherwise
    checkpoint.set_model_tensors(stepper.model, checkpoint.part(tensors, "model/"))
    checkpoint.set_optimizer_tensors(stepper.optimizer, checkpoint.part(tensors, "optimizer/"))
    checkpoint.set_random(checkpoint.part(tensors, "random/"), facts["random"])
    stepper.scaler.load_state_dict(facts["scaler"])
    stepper.budget, stepper.notes = facts["budget"], facts["notes"]
    if session.early is not None:
        session.early.losses = facts["validation_losses"]
        session.early.weights = checkpoint.part(tensors, "best/")
    session.losses, session.seconds_before = facts["losses"], facts["seconds"]
    session.begun_at = len(session.losses)
    session.notes.append(f"went on from a checkpoint at step {session.begun_at} of {session.steps}")
