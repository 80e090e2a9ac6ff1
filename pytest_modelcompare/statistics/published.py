"""A measured figure against a printed one: unpaired."""

from __future__ import annotations

from math import sqrt

from scipy.special import ndtr, ndtri

from pytest_modelcompare.records import Inference


def against_published(
    value: float,
    variance: float,
    n: int,
    published: float,
    published_n: int | None,
    threshold: float,
    confidence: float,
) -> Inference:
    """`value - published` against a threshold, with both variances where the source says its n.

    Args:
        variance: of `value`.
        n: rows behind `value`.
        published: a proportion, 0 to 1, where `published_n` is given.
    """
    printed_variance = published * (1 - published) / published_n if published_n and 0 <= published <= 1 else 0.0
    se = sqrt(variance + printed_variance)
    difference = value - published
    half = float(ndtri(confidence)) * se
    if se > 0:
        z = (difference - threshold) / se
        p_above, p_below = float(ndtr(-z)), float(ndtr(z))
    else:
        p_above, p_below = float(difference <= threshold), float(difference >= threshold)
    method = "unpaired z" if published_n else "z against the printed figure"
    return Inference(difference, difference - half, difference + half, p_above, p_below, method, n)
