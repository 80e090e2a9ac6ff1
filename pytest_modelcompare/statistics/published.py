"""A measured figure against a printed one: unpaired."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot

from pytest_modelcompare.records import Inference
from pytest_modelcompare.statistics.paired import bisected
from pytest_modelcompare.statistics.proportion import clopper_pearson

Bounds = Callable[[float], tuple[float, float]]
"""One-sided lower and upper bounds of a figure at a confidence."""

LEAST_P = 1e-6


def of_proportion(value: float, n: float) -> Bounds:
    """Exact bounds of a proportion of n rows."""
    return lambda confidence: clopper_pearson(value * n, n, confidence)


def constant(value: float) -> Bounds:
    """A figure taken for the truth."""
    return lambda confidence: (value, value)  # noqa: ARG005


def of_agreeing_rows(value: float, n: float) -> Bounds:
    """A figure whose n rows do not differ: a share of 1 - alpha**(1/n) that does stays plausible."""

    def bounds(confidence: float) -> tuple[float, float]:
        room = 1 - (1 - confidence) ** (1 / n)
        return value - room, value + room

    return bounds


def difference_of(
    value: float, other: float, bounds: Bounds, other_bounds: Bounds, threshold: float, confidence: float, n: int
) -> Inference:
    """`value - other` of two samples against a threshold, from the bounds of each.

    The variances are recovered from the bounds (MOVER), so that a figure near 0 or 1 keeps the
    skewed interval that its own exact test gives it.

    Source: Newcombe (1998), https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    """
    difference = value - other

    def at(level: float) -> tuple[float, float]:
        (low, high), (other_low, other_high) = bounds(level), other_bounds(level)
        down, up = hypot(value - low, other_high - other), hypot(high - value, other - other_low)
        return difference - down, difference + up

    def level(*, upper: bool) -> float:
        """The level at which the bound lies on the threshold."""

        def beyond(p: float) -> bool:
            low, high = at(1 - p)
            return high <= threshold if upper else low >= threshold

        if not beyond(0.5):
            return 1.0
        return LEAST_P if beyond(LEAST_P) else bisected(beyond, LEAST_P, 0.5, tolerance=1e-6)

    low, high = at(confidence)
    return Inference(difference, low, high, level(upper=False), level(upper=True), "MOVER, unpaired", n)
