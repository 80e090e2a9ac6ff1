"""What is minimised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import DataError

if TYPE_CHECKING:
    import torch

RowLosses = Callable[[Any, "Mapping[str, torch.Tensor]", "torch.Tensor"], "torch.Tensor"]
"""From model, batch and label numbers (rows,) to losses (rows,) in fp32; called inside autocast."""


def classification_losses(
    model: Any, batch: Mapping[str, torch.Tensor], labels: torch.Tensor, label_smoothing: float = 0.0
) -> torch.Tensor:
    """Cross-entropy of a classification head's logits, shape (rows,)."""
    import torch

    logits = model(**batch).logits.float()  # (rows, n_labels)
    return torch.nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)


def row_weights(
    labels: NDArray[np.int64], names: tuple[str, ...], weights: str | Mapping[str, float] | None
) -> NDArray[np.float32] | None:
    """What each row's loss counts, shape (n,); None where all count the same.

    Args:
        weights: "balanced" (n / (labels that occur · rows of the label), as in scikit-learn), or a weight by
            label name, 1 where none is given.

    Raises:
        DataError: a name is no label.
    """
    if weights is None:
        return None
    if isinstance(weights, str):
        counts = np.bincount(labels, minlength=len(names))
        return np.asarray(len(labels) / ((counts > 0).sum() * counts[labels]), np.float32)
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise DataError(f"class_weights names `{unknown[0]}`, which is no label", fix=f"labels are {', '.join(names)}")
    return np.array([weights.get(name, 1.0) for name in names], np.float32)[labels]
