"""How every report prints a number."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite, log10
from statistics import median_low

from pytest_modelcompare.pricing.dollars import usd as usd

USUAL_DECIMALS = 3
MOST_DECIMALS = 5
TWO_DIGITS_BELOW = 3.55
"""Leading digits of a half-width up to which it is given two digits, from which it is given one."""


def share(value: float, decimals: int = USUAL_DECIMALS) -> str:
    """A figure between 0 and 1 without its leading zero: .930; 1 and 0 and negatives in full."""
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("0.") else text


def decimals_supported(half_widths: Iterable[float]) -> int:
    """Decimals of a column of figures known to within these half-widths, by the one in their middle.

    An uncertainty of .008 is written with one digit, one of .012 with two: .930, .012 and .08 give 3, 3 and 2 decimals.

    Source: Particle Data Group, Review of Particle Physics, Introduction, section 5.3 (rounding)
    """
    known = [width for width in half_widths if isfinite(width) and width > 0]
    if not known:
        return USUAL_DECIMALS
    usual = median_low(known)
    exponent = floor(log10(usual))
    digits = 2 if usual / 10**exponent < TWO_DIGITS_BELOW else 1
    return min(max(digits - 1 - exponent, 1), MOST_DECIMALS)


def milliseconds(value: float) -> str:
    """Three significant digits are more than a latency supports; two are enough above 10."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def count(value: float) -> str:
    """22.7 M rather than 22713216."""
    for size, suffix in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.1f}{suffix}"
    return f"{value:.0f}"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
