"""How every report prints a number."""

from __future__ import annotations

from math import floor, log10


def share(value: float) -> str:
    """A figure between 0 and 1 without its leading zero: .930; 1 and 0 and negatives in full."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def milliseconds(value: float) -> str:
    """Three significant digits are more than a latency supports; two are enough above 10."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def usd(value: float) -> str:
    """Dollars: cents where they matter, two significant digits below, down to a hundred-thousandth."""
    if value == 0:
        return "0"
    if value >= 0.1:
        return f"{value:,.2f}"
    if value < 1e-5:
        return "<0.00001"
    return f"{value:.{min(1 - floor(log10(value)), 5)}f}"


def count(value: float) -> str:
    """22.7 M rather than 22713216."""
    for size, suffix in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.1f}{suffix}"
    return f"{value:.0f}"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
