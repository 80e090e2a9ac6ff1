"""How many rows would decide a gate with 80 % power."""

from __future__ import annotations

from math import ceil, inf, sqrt

Z_ALPHA = 1.6448536269514722
Z_POWER = 0.8416212335729143


def rows_for_proportion(p0: float, p1: float) -> float:
    """Rows for "the proportion is above p0" where it is p1 (or below, where p1 < p0); inf where they are equal."""
    if p0 == p1:
        return inf
    return ceil(((Z_ALPHA * sqrt(p0 * (1 - p0)) + Z_POWER * sqrt(p1 * (1 - p1))) / (p1 - p0)) ** 2)


def rows_for_paired(psi: float, margin: float, effect: float) -> float:
    """Rows for "A is more accurate than B by more than margin" where it is by `effect`.

    Args:
        psi: share of rows that only one of them gets right.
    """
    if effect == margin or psi <= 0:
        return inf
    spread = Z_ALPHA * sqrt(max(psi - margin**2, 0)) + Z_POWER * sqrt(max(psi - effect**2, 0))
    return ceil((spread / (effect - margin)) ** 2)


def rows_from_standard_error(n: int, se: float, distance: float) -> float:
    """Rows at which an estimate this far from its threshold would be decided, its standard error shrinking as 1/√n."""
    return inf if distance == 0 else ceil(n * ((Z_ALPHA + Z_POWER) * se / distance) ** 2)
