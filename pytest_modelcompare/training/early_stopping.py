"""Stopping when the validation loss gets no better, and the weights with which it was best."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.inference.tokens import Encoder
from pytest_modelcompare.training.checkpoint import model_tensors, set_model_tensors
from pytest_modelcompare.training.layouts import Padded
from pytest_modelcompare.training.loop import Validation
from pytest_modelcompare.training.recipe import Recipe
from pytest_modelcompare.training.step import Stepper


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
            self.weights = {name: one.clone() for name, one in model_tensors(self.stepper.model).items()}

    def take_best(self, epoch: int, epochs: int) -> str:
        """Set the weights with which the loss was lowest; says so."""
        set_model_tensors(self.stepper.model, self.weights)
        stopped = f"stopped early, after epoch {epoch} of {epochs}" if epoch < epochs else f"trained {epochs} epochs"
        return f"{stopped}; kept the weights after epoch {self.best} (validation loss {min(self.losses):.3f})"
