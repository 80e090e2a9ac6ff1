"""Labels and scores from frozen classifiers: a model with a classification head, and a linear one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.inference.precision import autocast
from pytest_modelcompare.inference.token_ids import Encoded, Encoder, batches_by_length, tokens_at_once
from pytest_modelcompare.records import Device
from pytest_modelcompare.records.progress import Progress, Watch, silent


@dataclass(frozen=True, slots=True)
class Classifier:
    """A frozen model with its tokenizer, on its device."""

    model: Any
    encoder: Encoder
    device: Device

    def logits(self, encoded: Encoded, batch_size: int = 64, watch: Watch = silent) -> NDArray[np.float32]:
        """Shape (n, n_labels), in the order given; computed in batches of similar length."""
        import torch

        found: dict[int, NDArray[np.float32]] = {}
        with torch.inference_mode(), autocast(self.device):
            for rows in batches_by_length(encoded.lengths, batch_size, tokens_at_once(self.device.kind)):
                batch = self.encoder.batch(encoded, rows, self.device.kind)
                values = self.model(**batch).logits.float().cpu().numpy()  # copying waits for CUDA
                found.update(zip(rows.tolist(), values, strict=True))
                watch(Progress(len(found), len(encoded.lengths), "predict"))
        return np.stack([found[row] for row in range(len(found))])

    def predict(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Label numbers, shape (n,), from text to label, as one batch where memory allows."""
        logits = self.logits(self.encoder.encode(texts), batch_size=len(texts))
        return np.asarray(logits.argmax(axis=1), np.int64)


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Rows of logits (n, k) as probabilities."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float64)


@dataclass(frozen=True, slots=True)
class Linear:
    """Logits = rows · coefficientsᵀ + intercepts."""

    coefficients: NDArray[np.float32]
    """Shape (n_labels, width)."""

    intercepts: NDArray[np.float32]
    """Shape (n_labels,). Minus infinity for a label that training never saw."""

    def logits(self, rows: Any) -> NDArray[np.float64]:
        """Shape (n, n_labels) for rows of shape (n, width), dense or sparse."""
        return np.asarray(rows @ self.coefficients.T + self.intercepts, np.float64)

    @property
    def parameters(self) -> int:
        return self.coefficients.size + self.intercepts.size

    @property
    def megabytes(self) -> float:
        return (self.coefficients.nbytes + self.intercepts.nbytes) / 2**20

    def save(self, folder: Path) -> None:
        np.savez(folder / "linear.npz", coefficients=self.coefficients, intercepts=self.intercepts)


def load_linear(folder: Path) -> Linear:
    with np.load(folder / "linear.npz", allow_pickle=False) as arrays:
        return Linear(arrays["coefficients"], arrays["intercepts"])
