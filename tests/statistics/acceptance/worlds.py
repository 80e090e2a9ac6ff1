"""Worlds whose truth is known, and how far a simulated share may lie from the share it should have."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import norm

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Z95 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Share:
    """How often something happened in independent runs of a simulation."""

    hits: int
    runs: int

    @classmethod
    def of(cls, happened: object) -> Share:
        flags = np.asarray(happened, bool)
        return cls(int(flags.sum()), flags.size)

    @property
    def percent(self) -> float:
        return 100 * self.hits / self.runs

    def standard_error(self, percent: float | None = None) -> float:
        """Monte Carlo standard error, in points, were `percent` the true share."""
        p = (self.percent if percent is None else percent) / 100
        return 100 * sqrt(p * (1 - p) / self.runs)

    def at_most(self, cap: float) -> bool:
        return self.percent <= cap + 3 * self.standard_error(cap)

    def near(self, expected: float) -> bool:
        return abs(self.percent - expected) <= 3 * self.standard_error(expected)

    def exceeds(self, cap: float) -> bool:
        """Beyond chance over the cap: what a negative control must do."""
        return not self.at_most(cap)


def binormal_shift(area: float) -> float:
    """How far apart two unit normals lie whose AUROC is `area`: Φ(shift / √2)."""
    return float(np.sqrt(2) * norm.ppf(area))


def binormal(rng: np.random.Generator, m1: int, m0: int, area: float) -> tuple[Labels, Floats]:
    """Truth of shape (m1 + m0,), and normal scores of class 1 with this true area."""
    truth = np.repeat([1, 0], [m1, m0])
    return truth, rng.normal(size=m1 + m0) + binormal_shift(area) * truth


def binormal_pair(
    rng: np.random.Generator, m1: int, m0: int, area_a: float, area_b: float, correlation: float
) -> tuple[Labels, Floats, Floats]:
    """Two contestants on the same rows, their noise correlated."""
    truth = np.repeat([1, 0], [m1, m0])
    noise_a, own = rng.normal(size=(2, m1 + m0))
    noise_b = correlation * noise_a + sqrt(1 - correlation**2) * own
    return truth, noise_a + binormal_shift(area_a) * truth, noise_b + binormal_shift(area_b) * truth


def two_columns(scores: Floats) -> Floats:
    """Scores of both labels, shape (n, 2), from those of label 1."""
    return np.stack([-scores, scores], axis=1)


def autoregressive(rng: np.random.Generator, runs: int, n: int, rho: float) -> Floats:
    """Stationary AR(1) of unit variance, shape (runs, n)."""
    noise = rng.normal(size=(runs, n)) * sqrt(1 - rho**2)
    noise[:, 0] /= sqrt(1 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], noise, axis=1))


def unequal_clusters(rng: np.random.Generator, groups: int, rows: int) -> Labels:
    """Cluster number per row; sizes lognormal(-.5, 1) with mean `rows`."""
    sizes = np.maximum(1, np.rint(rows * rng.lognormal(-0.5, 1.0, groups))).astype(int)
    return np.repeat(np.arange(groups), sizes)


def clustered_answers(rng: np.random.Generator, clusters: Labels, p: float, icc: float) -> NDArray[np.bool_]:
    """Right answers with probability p, correlated `icc` within a cluster (beta-binomial)."""
    scale = (1 - icc) / icc
    of_cluster = rng.beta(p * scale, (1 - p) * scale, int(clusters.max()) + 1)
    return np.asarray(rng.random(len(clusters)) < of_cluster[clusters])


def seeds_on_rows(
    rng: np.random.Generator, seeds: int, rows: int, row_se: float, unshared: float, seed_sd: float
) -> tuple[Floats, Floats]:
    """Trained models' deviations from the recipe's mean, and the part that each row contributes.

    Args:
        row_se: standard error that the rows give one model.
        unshared: share of its variance that differs from seed to seed.

    Returns:
        shape (seeds,); shape (seeds, rows), which sums over rows to what the rows contribute.
    """
    shared, own = rng.normal(size=rows), rng.normal(size=(seeds, rows))
    noise = row_se * (sqrt(1 - unshared) * shared + sqrt(unshared) * own) / sqrt(rows)
    return rng.normal(0, seed_sd, seeds) + noise.sum(axis=1), noise


def resampled_weights(rng: np.random.Generator, resamples: int, n: int) -> Floats:
    """How often each of n things is drawn, over n, in each bootstrap resample; shape (resamples, n)."""
    return rng.multinomial(n, np.full(n, 1 / n), resamples) / n


@dataclass(frozen=True, slots=True)
class Errors:
    """Both errors of a procedure where the truth lies on the threshold."""

    passes: Share
    fails: Share

    @classmethod
    def of(cls, flags: object) -> Errors:
        """From flags of shape (runs, 2): passed, failed."""
        passed, failed = np.asarray(flags, bool).T
        return cls(Share.of(passed), Share.of(failed))

    def at_most(self, cap: float) -> bool:
        return self.passes.at_most(cap) and self.fails.at_most(cap)

    def near(self, passes: float, fails: float) -> bool:
        return self.passes.near(passes) and self.fails.near(fails)
