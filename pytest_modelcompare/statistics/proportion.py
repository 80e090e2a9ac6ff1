"""One proportion against a number: exact, also in clusters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, betainc, betaincinv, ndtri, stdtrit

from pytest_modelcompare.records import Inference

FEWEST_CLUSTERS = 5.0
FEW_CLUSTERS = 20.0


def clopper_pearson(successes: float, n: float, confidence: float) -> tuple[float, float]:
    """One-sided exact lower and upper bounds, each at `confidence`.

    Fractional counts are allowed: an effective sample size need not be whole.

    Source: Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404
    """
    alpha = 1 - confidence
    low = 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, alpha))
    high = 1.0 if successes >= n else float(betaincinv(successes + 1, n - successes, confidence))
    return low, high


def exact_proportion(successes: int, n: int, threshold: float, confidence: float) -> Inference:
    """The exact binomial test of a proportion, and the Clopper–Pearson bounds that invert it.

    Args:
        successes: rows that count, 0 to n.
        n: rows.
        threshold: the proportion claimed, 0 to 1.
        confidence: of each one-sided bound.
    """
    if n == 0:
        return no_rows(threshold)
    low, high = clopper_pearson(successes, n, confidence)
    threshold = min(max(threshold, 0.0), 1.0)
    p_above = float(bdtrc(successes - 1, n, threshold)) if successes > 0 else 1.0
    p_below = float(bdtr(successes, n, threshold)) if successes < n else 1.0
    return Inference(successes / n, low, high, p_above, p_below, "exact binomial", n)


def no_rows(threshold: float) -> Inference:
    return Inference(
        float("nan"), 0.0, 1.0, 1.0, 1.0, "exact binomial", 0, f"no row tells anything about {threshold:g}"
    )


def clustered_proportion(
    correct: NDArray[np.bool_], clusters: NDArray[np.int64], threshold: float, confidence: float
) -> Inference:
    """A proportion whose rows come in clusters: exact bounds on an effective sample size.

    Args:
        correct: shape (n,).
        clusters: shape (n,); rows of one number belong together.

    Source: Korn and Graubard (1998), Survey Methodology 24:193, with the effective
        number of clusters G* = n² / Σ n_g² for the degrees of freedom.
    """
    n = len(correct)
    p = float(correct.mean())
    g_star = effective_clusters(clusters)
    se = jackknife_se(correct.astype(np.float64) - p, clusters) / n
    # no spread seen: no more information than clusters
    most = float(n) if se > 0 else min(float(n), g_star)
    because, notes = too_few_clusters(g_star)
    found = proportion_with_variance(p, se**2, max(g_star - 1, 0.0), most, threshold, confidence)
    return replace(found, n=n, undecided_because=because, notes=notes)


def proportion_with_variance(
    p: float, variance: float, df: float, most: float, threshold: float, confidence: float
) -> Inference:
    """A proportion whose variance was estimated otherwise: exact bounds on the rows that would have it.

    Args:
        variance: of p, from clusters or from seeds; 0 where none was seen.
        df: its degrees of freedom.
        most: rows that the proportion can at most be worth.

    Source: Korn and Graubard (1998), Survey Methodology 24:193
    """
    n_effective = most
    if variance > 0 and df > 0:
        t = float(stdtrit(df, confidence))
        correction = (float(ndtri(confidence)) / t) ** 2 if abs(t) > 1e-9 else 1.0  # at one half both are 0
        n_effective = min(most, p * (1 - p) / variance * correction)
    successes = p * n_effective
    low, high = clopper_pearson(successes, n_effective, confidence)
    threshold = min(max(threshold, 0.0), 1.0)
    p_above = float(betainc(successes, n_effective - successes + 1, threshold)) if successes > 0 else 1.0
    p_below = 1 - float(betainc(successes + 1, n_effective - successes, threshold)) if p < 1 else 1.0
    return Inference(p, low, high, p_above, p_below, "Korn–Graubard", round(most))


def effective_clusters(clusters: NDArray[np.int64]) -> float:
    """G* = n² / Σ n_g²: as many clusters of equal size carry the same information."""
    sizes = np.unique(clusters, return_counts=True)[1]
    return float(sizes.sum() ** 2 / (sizes.astype(float) ** 2).sum())


def cluster_sums(values: NDArray[np.float64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum per cluster along the last axis."""
    numbers = np.unique(clusters, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    return np.stack([np.bincount(numbers, weights=row, minlength=count) for row in np.atleast_2d(values)])


def leave_one_out(influence: NDArray[np.float64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """What leaving out each cluster changes, shape (…, G): (G - 1)/G times the sum of squares is the variance.

    Args:
        influence: shape (…, n).
    """
    n = len(clusters)
    sizes = np.unique(clusters, return_counts=True)[1]
    return cluster_sums(influence, clusters) * (n / np.maximum(n - sizes, 1))


def jackknife_se(deviations: NDArray[np.float64], clusters: NDArray[np.int64]) -> float:
    """Standard error of Σ deviations, leaving out a cluster at a time."""
    changes = leave_one_out(np.asarray(deviations, float), clusters)[0]
    count = len(changes)
    return float(np.sqrt((count - 1) / count * (changes**2).sum()))


def too_few_clusters(g_star: float) -> tuple[str | None, tuple[str, ...]]:
    """Why clusters keep a gate undecided, or what to say beside a verdict on few of them."""
    if g_star < FEWEST_CLUSTERS:
        return f"the rows form about {g_star:.1f} groups of equal weight, and fewer than 5 decide nothing", ()
    if g_star < FEW_CLUSTERS:
        return None, (f"about {g_star:.0f} groups of equal weight: few for a verdict",)
    return None, ()


def wilson(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval, for drawn bars only: one-sided it is biased (Cai 2005)."""
    z = float(ndtri(confidence))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return centre - half, centre + half
