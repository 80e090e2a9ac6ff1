"""What a contestant answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

NO_ANSWER = -1
"""The label number of a row that was not answered, refused, or answered with no known label."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """One answer per test row, in test order."""

    labels: NDArray[np.int64]
    """Shape (n,). Index into `Dataset.labels`, or NO_ANSWER."""

    scores: NDArray[np.float64] | None = None
    """Shape (n, k), rows sum to 1; a row of NaN has no scores. None: this contestant gives none."""

    scores_from: str = ""
    """What the scores are, e.g. "softmax", "cosine similarity", "stated"; empty without scores."""

    failures: Mapping[str, int] = field(default_factory=dict)
    """How often each kind of non-answer occurred, e.g. {"refused": 2, "outside the labels": 1}."""

    read_as: Mapping[str, int] = field(default_factory=dict)
    """How often the label was read in which way, e.g. {"as asked": 96, "in JSON": 4}; empty where nothing was read."""
