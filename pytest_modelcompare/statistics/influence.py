"""Anything that is a value with an influence per row: arithmetic, clusters, several seeds."""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt

import numpy as np

from pytest_modelcompare.records import Estimate, Inference
from pytest_modelcompare.statistics.means import t_inference
from pytest_modelcompare.statistics.proportion import cluster_sums, effective_clusters, too_few_clusters

FEWEST_SEEDS = 3
NO_SPREAD = 1e-24
"""A variance between seeds that is rounding and nothing else."""


def from_influence(
    estimate: Estimate, threshold: float, confidence: float, *, next_training: bool = False
) -> Inference:
    """Test an estimate by its influence values.

    One seed: t on the rows, or the delete-one-cluster jackknife with G* - 1 degrees
    of freedom. Several seeds: Obuchowski–Rockette with Hillis' degrees of freedom,
    the seeds as readers and the rows as cases.

    Args:
        next_training: bound the next trained model rather than the recipe's mean.
    """
    influence = estimate.influence
    seeds, n = influence.shape
    if n == 0:
        return exact(estimate, threshold)
    because: str | None = None
    notes: tuple[str, ...] = ()
    units = float(n)
    if estimate.clusters is not None:
        units = effective_clusters(estimate.clusters)
        because, notes = too_few_clusters(units)
        influence = cluster_sums(influence, estimate.clusters)
    if n < 2 or units <= 1:
        because = because or "one row decides nothing"
        return Inference(estimate.value, -np.inf, np.inf, 1.0, 1.0, "influence", n, because)
    count = influence.shape[1]
    covariance = influence @ influence.T * count / (count - 1)
    if seeds == 1:
        if next_training:
            because = because or "one seed says nothing about the next training: give at least three `seeds`"
        method = "influence t" if estimate.clusters is None else "cluster jackknife t"
        result = t_inference(estimate.value, sqrt(covariance[0, 0]), units - 1, threshold, confidence, method, n)
        return replace(result, undecided_because=because, notes=notes)
    variance, df = seeds_variance(estimate, covariance, next_training)
    if seeds < FEWEST_SEEDS:
        because = because or "two seeds say too little about the recipe: give at least three `seeds`"
    if estimate.clusters is not None:
        df = min(df, units - 1)
    result = t_inference(estimate.value, sqrt(variance), df, threshold, confidence, "Obuchowski–Rockette–Hillis", n)
    return replace(result, undecided_because=because, notes=notes)


def seeds_variance(
    estimate: Estimate, covariance: np.ndarray[tuple[int, ...], np.dtype[np.float64]], next_training: bool
) -> tuple[float, float]:
    """Variance and degrees of freedom of the recipe's mean, or of the next training's figure.

    Args:
        covariance: shape (seeds, seeds); what the rows contribute.
    """
    count = len(estimate.seed_values)
    between = float(np.var(estimate.seed_values, ddof=1))
    var1 = float(np.diag(covariance).mean())
    cov2 = float((covariance.sum() - np.trace(covariance)) / (count * (count - 1)))
    between = max(between, var1 - cov2)
    if between < NO_SPREAD:  # every seed gave the same on every row: nothing but the rows is left to vary
        return max(cov2, 0.0), inf
    if next_training:
        scatter = between * (1 + 1 / count)
        variance = scatter + max(cov2, 0.0)
        return variance, variance**2 / (scatter**2 / (count - 1))
    total = between + count * max(cov2, 0.0)
    return total / count, total**2 / (between**2 / (count - 1))


def exact(estimate: Estimate, threshold: float) -> Inference:
    """A size, a count or a price: no interval."""
    value = estimate.value
    return Inference(value, value, value, float(value <= threshold), float(value >= threshold), "exact", 1)
