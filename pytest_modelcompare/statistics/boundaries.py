"""How far a sequential statistic has to be at each look, so that all looks together err in alpha; fixed beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pytest_modelcompare.statistics.looks import Schedule
from pytest_modelcompare.statistics.paired import bisected

REACH = 9.0
"""Standard deviations of a random walk beyond which nothing is left to integrate."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(8)

Spending = Callable[[float], float]
"""The share of alpha that may be spent up to an information fraction; 1 at 1."""


def linear(fraction: float) -> float:
    """Spend alpha·t. `math.sqrt` is the other choice: it stops earlier and loses power for small gaps."""
    return fraction


@lru_cache(maxsize=256)
def boundaries(fractions: tuple[float, ...], alpha: float, spend: Spending = linear) -> tuple[float, ...]:
    """Critical values c_k of z at each look, which a true null hypothesis crosses with probability alpha in all.

    One-sided; a test with a pass and a fail side spends alpha on each.

    Args:
        fractions: shares of all information at the looks, ascending, up to 1.

    Source: recursive integration: Armitage, McPherson and Rowe (1969), J. R. Stat. Soc. A 132:235;
        spending: Lan and DeMets (1983), Biometrika 70:659
    """
    found: list[float] = []
    walk, spent = Walk(np.zeros(1), np.ones(1)), 0.0
    for now, elapsed, narrowest in steps(0.0, fractions):
        due, reach = alpha * spend(now) - spent, REACH * sqrt(now)
        limit = walk.limit(due, elapsed, reach)
        walk, spent = walk.onward(elapsed, -reach, limit, narrowest), spent + due
        found.append(limit / sqrt(now))
    return tuple(found)


def repeated_p_value(p: float, fractions: tuple[float, ...], spend: Spending = linear) -> float:
    """The smallest alpha whose boundary a p-value meets at the last of these looks.

    Where looks were taken, this compares with alpha; the p-value itself does not.

    Source: Jennison and Turnbull (1990), https://doi.org/10.1214/ss/1177012099
    """
    p = max(p, 1e-16)
    uncached = boundaries.__wrapped__
    met = bisected(lambda it: float(ndtr(-uncached(fractions, exp(it), spend)[-1])) >= p, log(p), 0.0, 1e-4)
    return min(1.0, exp(met))


def steps(since: float, fractions: tuple[float, ...]) -> Iterator[tuple[float, float, float]]:
    """Each look's time, the time since the look before, and the narrowest spread that a grid there has to resolve."""
    elapsed = np.diff((since, *fractions))
    for index, now in enumerate(fractions):
        yield now, float(elapsed[index]), sqrt(float(elapsed[index : index + 2].min()))


@dataclass(frozen=True, slots=True)
class Walk:
    """Where the score z·√t of a test that still goes on may be: probability on a grid."""

    score: NDArray[np.float64]
    probability: NDArray[np.float64]

    def above(self, limit: float, elapsed: float, drift: float = 0.0) -> float:
        """Probability that the score lies above a limit after a further time."""
        return float(self.probability @ ndtr((self.score + drift * elapsed - limit) / sqrt(elapsed)))

    def limit(self, due: float, elapsed: float, reach: float) -> float:
        """The limit, between -reach and reach, above which the score then lies with probability `due`."""
        return bisected(lambda limit: self.above(limit, elapsed) <= due, -reach, reach, 1e-9)

    def onward(self, elapsed: float, low: float, high: float, narrowest: float, drift: float = 0.0) -> Walk:
        """The walk a further time later, where it is then between two limits: Gauss–Legendre, panel by panel."""
        edges = np.linspace(low, high, ceil(max(high - low, narrowest) / narrowest) + 1)
        half = np.diff(edges)[:, None] / 2
        score = (edges[:-1, None] + half * (NODES + 1)).ravel()
        z = (score[:, None] - self.score - drift * elapsed) / sqrt(elapsed)  # (new nodes, old nodes)
        density = np.exp(-z * z / 2) @ self.probability / sqrt(2 * np.pi * elapsed)
        return Walk(score, density * (half * WEIGHTS).ravel())


@dataclass(frozen=True, slots=True)
class SequentialPlan:
    """What is decided before the first answer."""

    schedule: Schedule
    above: bool
    """The claim is "above its threshold": `p_above` speaks for a pass."""

    pass_boundaries: tuple[float, ...]
    """Critical value of z at each look, pass side."""

    fail_boundaries: tuple[float, ...]
    spend: Spending = linear


def sequential_plan(
    schedule: Schedule,
    *,
    above: bool = True,
    pass_alpha: float = 0.05,
    fail_alpha: float = 0.05,
    spend: Spending = linear,
) -> SequentialPlan:
    """Spend each side's alpha over the looks. A member of an `any_of` of k has a `pass_alpha` of alpha/k."""
    to_pass = boundaries(schedule.fractions, pass_alpha, spend)
    return SequentialPlan(schedule, above, to_pass, boundaries(schedule.fractions, fail_alpha, spend), spend)
