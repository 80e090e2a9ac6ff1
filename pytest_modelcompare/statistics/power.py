"""How likely a test is to show what is true, before any data: power, and the true value that 80 % power needs.

Every formula is about a claim that something lies *above* a threshold; the other
direction is the same claim about 1 - p, or about the difference with its sign turned.
"""

from __future__ import annotations

from functools import lru_cache
from math import floor, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, betainc, chdtri, gammaln, ndtr, ndtri, stdtrit, xlog1py, xlogy

from pytest_modelcompare.statistics.newcombe import method5_variance

SPREADS = 32
"""Quantiles of the chi-squared distribution that stand for how differently clusters may turn out."""


@lru_cache(maxsize=64)
def successes_to_pass(n: int, threshold: float, confidence: float) -> int:
    """Fewest successes of n at which the exact test shows a proportion above `threshold`; n + 1 if none do."""
    threshold = min(max(threshold, 0.0), 1.0)
    return 1 + int((bdtrc(np.arange(n), n, threshold) > 1 - confidence).sum())


def proportion_power(n: int, threshold: float, true: float, confidence: float) -> float:
    """Exact power of the exact binomial test."""
    k = successes_to_pass(n, threshold, confidence)
    return float(bdtrc(k - 1, n, true)) if k <= n else 0.0


def share_power(n: float, threshold: float, true: float, confidence: float, df: float = inf) -> float:
    """Normal power of the score test of a proportion: for figures that vary about as a share of n rows does.

    Args:
        df: degrees of freedom of the critical value; inf is the normal one.
    """
    need = critical(confidence, df) * sqrt(max(threshold * (1 - threshold), 0.0))
    return normal_power(sqrt(n) * (true - threshold) - need, sqrt(max(true * (1 - true), 0.0)))


def clustered_power(
    n: int,
    clusters: float,
    threshold: float,
    true: float,
    confidence: float,
    design_effect: float = 1.0,
    agreeing: float | None = None,
) -> float:
    """Power of the Korn–Graubard test of a proportion whose rows come in clusters.

    Args:
        clusters: effective clusters, more than 1.
        design_effect: variance of the share over that of independent rows.
        agreeing: rows that n rows count for when all are successes; None: as many as clusters.
    """
    m = max(1, floor(n / design_effect))
    passes = clustered_passes(n, m, clusters, threshold, confidence, min(n, agreeing or clusters))
    return float((passes * binomial_probabilities(m, true)).sum())


@lru_cache(maxsize=64)
def clustered_passes(
    n: int, m: int, clusters: float, threshold: float, confidence: float, agreeing: float
) -> NDArray[np.float64]:
    """Probability of passing with 0, …, m successes of the m independent rows that n clustered ones are worth.

    The test estimates from the clusters how many rows theirs are worth, and that estimate
    varies as one over chi-squared with clusters - 1 degrees of freedom.
    """
    df = clusters - 1
    spread = chdtri(df, (np.arange(SPREADS) + 0.5) / SPREADS) / df
    correction = (float(ndtri(confidence)) / float(stdtrit(df, confidence))) ** 2
    effective = np.minimum(n, m * correction / spread)[:, None]
    successes = effective * np.arange(m + 1) / m
    p_value = np.ones(successes.shape)
    p_value[:, 1:] = betainc(successes[:, 1:], effective - successes[:, 1:] + 1, threshold)
    p_value[:, m] = threshold**agreeing
    return np.asarray((p_value <= 1 - confidence).mean(axis=0), np.float64)


def binomial_probabilities(n: int, p: float) -> NDArray[np.float64]:
    """P(X = 0), …, P(X = n)."""
    k = np.arange(n + 1.0)
    logs = gammaln(n + 1.0) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, p) + xlog1py(n - k, -p)
    return np.asarray(np.exp(logs), np.float64)


def paired_power(
    n: float, discordance: float, margin: float, effect: float, confidence: float, df: float = inf
) -> float:
    """Power of "A is more accurate than B by more than margin", where it is by `effect`; normal, on Tango's score.

    Up to 1,000 rows the exact test is used instead, which at margins below 0 has up to 5 points less.

    Args:
        discordance: share of rows that only one of them gets right; raised to what the effect needs.
        df: degrees of freedom of the critical value; inf is the normal one.
    """
    discordance = max(discordance, abs(effect))
    null = sqrt(max(max(discordance, abs(margin)) - margin**2, 0.0))
    need = critical(confidence, df) * null
    return normal_power(sqrt(n) * (effect - margin) - need, sqrt(max(discordance - effect**2, 0.0)))


def critical(confidence: float, df: float) -> float:
    return float(ndtri(confidence) if df == inf else stdtrit(df, confidence))


def normal_power(distance: float, spread: float) -> float:
    """Φ(distance / spread), also where nothing is left to vary."""
    return float(ndtr(distance / spread)) if spread > 0 else float(distance > 0)


def area_variance(area: float, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    """Newcombe's method-5 variance of a mean AUROC over classes that all have this area.

    Args:
        positives: shape (K,); rows of each class that counts.
        negatives: shape (K,); the others.

    Of two classes each is the other's mirror image: they share one area. More classes are taken as independent.
    """
    variance = method5_variance(np.full(len(positives), area), positives, negatives)
    return variance * (2 if len(positives) == 2 else 1)


def auroc_power(
    positives: NDArray[np.float64], negatives: NDArray[np.float64], threshold: float, true: float, confidence: float
) -> float:
    """Normal power of the score test of an AUROC."""
    need = float(ndtri(confidence)) * sqrt(area_variance(threshold, positives, negatives))
    return normal_power(true - threshold - need, sqrt(area_variance(true, positives, negatives)))


def auroc_difference_power(
    positives: NDArray[np.float64],
    negatives: NDArray[np.float64],
    margin: float,
    effect: float,
    confidence: float,
    level: float = 0.9,
    correlation: float = 0.5,
) -> float:
    """Normal power of "A's AUROC is above B's by more than margin", where it is by `effect`.

    Args:
        level: the mean of the two areas.
        correlation: between the two contestants' errors.
    """
    a, b = (min(max(level + half, 0.5), 0.999) for half in (effect / 2, -effect / 2))
    va, vb = (area_variance(area, positives, negatives) for area in (a, b))
    se = sqrt(max(va + vb - 2 * correlation * sqrt(va * vb), 0.0))
    return normal_power(effect - margin - float(ndtri(confidence)) * se, se)


def unpaired_power(
    n: float,
    published: float,
    published_n: int | None,
    rounding: float,
    margin: float,
    effect: float,
    confidence: float,
) -> float:
    """Power of "ours is above the printed proportion by more than margin", where it is by `effect`: both variances.

    Args:
        rounding: how far the printed figure may lie below the true one.
    """
    ours, theirs = min(max(published + effect, 0.0), 1.0), min(max(published + rounding, 0.0), 1.0)
    printed = theirs * (1 - theirs) / published_n if published_n else 0.0
    se = sqrt(ours * (1 - ours) / n + printed)
    return normal_power(ours - theirs - margin - float(ndtri(confidence)) * se, se)
