"""A linear classifier's weights: applied with numpy, kept as npz."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
