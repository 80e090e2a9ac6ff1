"""How many rows would decide a gate with 80 % power."""

from __future__ import annotations

from math import ceil, inf, log, log1p, sqrt

Z_ALPHA = 1.6448536269514722
Z_POWER = 0.8416212335729143


def rows_for_proportion(p0: float, p1: float, z_alpha: float = Z_ALPHA) -> float:
    """Rows for "the proportion is above p0" where it is p1 (or below, where p1 < p0); inf where they are equal."""
    if p0 == p1:
        return inf
    return ceil(((z_alpha * sqrt(p0 * (1 - p0)) + Z_POWER * sqrt(p1 * (1 - p1))) / (p1 - p0)) ** 2)


def rows_for_paired(psi: float, margin: float, effect: float, z_alpha: float = Z_ALPHA) -> float:
    """Rows for "A is more accurate than B by more than margin" where it is by `effect`.

    Args:
        psi: share of rows that only one of them gets right.
    """
    if effect == margin or psi <= 0:
        return inf
    spread = z_alpha * sqrt(max(psi - margin**2, 0)) + Z_POWER * sqrt(max(psi - effect**2, 0))
    return ceil((spread / (effect - margin)) ** 2)


def rows_from_standard_error(n: int, se: float, distance: float, z_alpha: float = Z_ALPHA) -> float:
    """Rows at which an estimate this far from its threshold would be decided, its standard error shrinking as 1/√n."""
    return inf if distance == 0 else ceil(n * ((z_alpha + Z_POWER) * se / distance) ** 2)


def rows_that_agree(distance: float, alpha: float) -> float:
    """Rows without any deviation that show a distance: n of them leave a share up to 1 - alpha**(1/n) plausible."""
    if distance >= 1:
        return 1
    return inf if distance <= 0 else ceil(log(alpha) / log1p(-distance))
