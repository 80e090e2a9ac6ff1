"""A value with its influence per row, and what a test made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, with what each row (and seed) contributes to its error.

    Arithmetic between estimates on the same rows, pairing, clusters and seeds
    are then sums over `influence`.
    """

    value: float
    """Mean over seeds; of a difference of two recipes, the difference of their means."""

    influence: NDArray[np.float64]
    """Shape (seeds, n). Influence of row i on seed s's value; each row of the matrix sums to about 0.
    Var(value of seed s) ≈ Σ_i influence[s, i]². n = 0: the figure is exact (a size, a count)."""

    seed_values: NDArray[np.float64]
    """Shape (seeds,). The figure of each trained model, or its share of a sum of several."""

    clusters: NDArray[np.int64] | None = None
    """Shape (n,). Rows of one number are one cluster."""

    unit: str = ""
    """What the vector runs over: "test rows", "timed requests", "blocks"; of two kinds both lie side by side."""

    segments: tuple[int, ...] = ()
    """Columns of each kind of unit, where several lie side by side: their errors are independent."""

    sides: tuple[str, ...] = ()
    """Of each row of `influence`, the recipe whose seed it is; `value` is then the sum of the recipes' means.
    Empty: all are seeds of one recipe."""


@dataclass(frozen=True, slots=True)
class Inference:
    """Two one-sided tests of one figure against one threshold, and the bounds that belong to them."""

    value: float
    low: float
    """One-sided lower bound at `confidence`."""

    high: float
    """One-sided upper bound at `confidence`."""

    p_above: float
    """p-value against "the true value is at or below the threshold"."""

    p_below: float
    """p-value against "the true value is at or above the threshold"."""

    method: str
    """E.g. "exact binomial", "Tango score"."""

    n: int
    """Rows (or requests) the figure rests on."""

    undecided_because: str | None = None
    """Set when the method's stated minimum is not met: the verdict is then undecided whatever the bounds say."""

    notes: tuple[str, ...] = ()
