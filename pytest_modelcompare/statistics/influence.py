"""Anything that is a value with an influence per row: arithmetic, clusters, several seeds of one or more recipes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.records import Estimate, Inference
from pytest_modelcompare.statistics.means import SKEWED, T_UP_TO, hall_inference, t_inference
from pytest_modelcompare.statistics.proportion import (
    effective_clusters,
    leave_one_out,
    proportion_with_variance,
    too_few_clusters,
)

FEWEST_SEEDS = 3
ROUNDING = 1e-12
"""A variance this much smaller than what it is the difference of is rounding and nothing else."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far an estimate may lie from the truth."""

    variance: float
    df: float
    """Degrees of freedom of Student's t."""

    skewness: float
    """Third cumulant over the variance to the power 1.5: what is left of the rows' skewness in the estimate."""


def from_influence(
    estimate: Estimate, threshold: float, confidence: float, *, next_training: bool = False
) -> Inference:
    """Test an estimate by its influence values.

    One seed: t on the rows, or the delete-one-cluster jackknife with G* - 1 degrees
    of freedom. Several seeds: Obuchowski–Rockette with Hillis' degrees of freedom,
    the seeds as readers and the rows as cases. Where few rows carry the figure, so that
    it is skewed, Hall's transformation corrects t, and beyond `SKEWED` nothing is decided.

    Args:
        next_training: bound the next trained model rather than the recipe's mean.
    """
    n = estimate.influence.shape[1]
    if n == 0:
        return exact(estimate, threshold)
    units = min((units for _, units in segments(estimate)), default=0.0)
    because, notes = (None, ()) if estimate.clusters is None else too_few_clusters(units)
    if n < 2 or units <= 1:
        because = because or "one row decides nothing"
        return Inference(estimate.value, -np.inf, np.inf, 1.0, 1.0, "influence", n, because)
    because = because or too_few_seeds(estimate, next_training=next_training)
    spread = spread_of(estimate, next_training=next_training)
    method = method_name(estimate)
    if abs(spread.skewness) <= T_UP_TO or estimate.clusters is not None:
        found = t_inference(estimate.value, sqrt(spread.variance), spread.df, threshold, confidence, method, n)
    else:
        found = hall_inference(estimate.value, spread, threshold, confidence, f"{method}, Hall's skewness", n)
    if abs(spread.skewness) > SKEWED:
        because = because or "so few rows carry this figure that its distribution is not known well enough"
    return replace(found, undecided_because=because, notes=notes)


def method_name(estimate: Estimate) -> str:
    if len(estimate.seed_values) > 1:
        return "Obuchowski–Rockette–Hillis"
    return "influence t" if estimate.clusters is None else "cluster jackknife t"


def too_few_seeds(estimate: Estimate, *, next_training: bool) -> str | None:
    """Why the seeds keep a gate undecided."""
    counts = [len(rows) for rows in recipes(estimate)]
    if 2 in counts:
        return "two seeds say too little about the recipe: give at least three `seeds`"
    if next_training and max(counts) == 1:
        return "one seed says nothing about the next training: give at least three `seeds`"
    return None


def recipes(estimate: Estimate) -> list[NDArray[np.int64]]:
    """The rows of `influence` that belong to each recipe, in the order they first occur."""
    if not estimate.sides:
        return [np.arange(len(estimate.seed_values))]
    sides = np.array(estimate.sides)
    return [np.flatnonzero(sides == side) for side in dict.fromkeys(estimate.sides)]


def spread_of(estimate: Estimate, *, next_training: bool = False) -> Spread:
    """Variance, degrees of freedom and skewness of an estimate.

    With D_s the figure of seed s: MS their sample variance, Var1 and Cov2 the mean
    diagonal and off-diagonal of what the rows contribute, MS* = max(MS, Var1 - Cov2).
    The seeds scatter by MS*/S (the next training by MS* (1 + 1/S)), the rows, which all
    seeds and both sides share, by the sum of Cov2 and of the covariances between sides.

    Source: Hillis (2007), https://doi.org/10.1002/sim.2532, for two treatments; the form
    for one figure is simulated in the tests.
    """
    members, parts = recipes(estimate), segments(estimate)
    covariances = [part @ part.T * (part.shape[1] - 1) / part.shape[1] for part, _ in parts]
    covariance = np.sum(covariances, axis=0)
    shared, scatters = shared_variance(covariance, members), list[tuple[float, float]]()
    for rows in members:
        if len(rows) > 1:
            between = float(np.var(estimate.seed_values[rows], ddof=1))
            own = covariance[np.ix_(rows, rows)]
            between = max(between, float(np.diag(own).mean()) - off_diagonal(own))
            scatters.append((between * (1 + 1 / len(rows) if next_training else 1 / len(rows)), len(rows) - 1))
    variance = max(shared, 0.0) + sum(scatter for scatter, _ in scatters)
    size = float(np.abs(covariance).max()) if covariance.size else 0.0
    if variance <= ROUNDING * size:
        return Spread(0.0, inf, 0.0)
    of_rows = [(shared_variance(one, members), units - 1) for one, (_, units) in zip(covariances, parts, strict=True)]
    df = satterthwaite(variance, scatters or of_rows)
    if scatters and estimate.clusters is not None:
        df = min(df, *(units for _, units in of_rows))
    return Spread(variance, df, skewness(estimate, members) / variance**1.5)


def skewness(estimate: Estimate, members: list[NDArray[np.int64]]) -> float:
    """Third cumulant of what the rows contribute. Of rows, not of clusters, whose few sizes would drown it."""
    alone = np.sum([estimate.influence[rows].mean(axis=0) for rows in members], axis=0)
    return float((alone**3).sum())


def satterthwaite(total: float, parts: list[tuple[float, float]]) -> float:
    """Degrees of freedom of a variance whose parts each have their own; what is no part is taken as known."""
    below = sum(variance**2 / max(df, 1e-9) for variance, df in parts)
    return total**2 / below if below > ROUNDING * total**2 else inf


def segments(estimate: Estimate) -> list[tuple[NDArray[np.float64], float]]:
    """What leaving out each unit changes, a unit being a row or a cluster, with the effective number of units."""
    widths = estimate.segments or (estimate.influence.shape[1],)
    ends = np.cumsum(widths)
    found = []
    for start, end in zip(ends - widths, ends, strict=True):
        part = estimate.influence[:, start:end]
        if estimate.clusters is None:
            found.append((part * ((end - start) / max(end - start - 1, 1)), float(end - start)))
        else:
            clusters = estimate.clusters[start:end]
            found.append((leave_one_out(part, clusters), effective_clusters(clusters)))
    return found


def off_diagonal(block: NDArray[np.float64]) -> float:
    count = len(block)
    return float((block.sum() - np.trace(block)) / (count * (count - 1)))


def shared_variance(covariance: NDArray[np.float64], members: list[NDArray[np.int64]]) -> float:
    """What the rows contribute to the sum of the recipes' means, the seeds' own noise left out."""
    total = 0.0
    for one in members:
        for other in members:
            block = covariance[np.ix_(one, other)]
            total += off_diagonal(block) if one is other and len(one) > 1 else float(block.mean())
    return total


def proportion_of_seeds(
    estimate: Estimate, threshold: float, confidence: float, *, next_training: bool = False
) -> Inference:
    """An accuracy of several seeds against a number: exact bounds on the rows that its variance is worth.

    Near 1 a t interval would promise too much; one wrong row in a hundred is no normal distribution.
    """
    plain = from_influence(estimate, threshold, confidence, next_training=next_training)
    spread = spread_of(estimate, next_training=next_training)
    n = estimate.influence.shape[1]
    most = float(n) if estimate.clusters is None else effective_clusters(estimate.clusters)
    found = proportion_with_variance(
        estimate.value, spread.variance, spread.df, n if spread.variance > 0 else most, threshold, confidence
    )
    because = too_few_seeds(estimate, next_training=next_training)
    if estimate.clusters is not None:
        because = because or too_few_clusters(effective_clusters(estimate.clusters))[0]
    method = f"Korn–Graubard on {method_name(estimate)}"
    return replace(found, n=n, method=method, undecided_because=because, notes=plain.notes)


def exact(estimate: Estimate, threshold: float) -> Inference:
    """A size, a count or a price: no interval."""
    value = estimate.value
    return Inference(value, value, value, float(value <= threshold), float(value >= threshold), "exact", 1)
