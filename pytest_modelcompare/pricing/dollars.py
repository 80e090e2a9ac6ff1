"""How an amount of US dollars is written, in every message and report."""

from __future__ import annotations

from math import floor, log10


def usd(value: float) -> str:
    """Dollars: cents where they matter, two significant digits below, down to a hundred-thousandth."""
    if value == 0:
        return "0"
    if value >= 0.1:
        return f"{value:,.2f}"
    if value < 1e-5:
        return "<0.00001"
    return f"{value:.{min(1 - floor(log10(value)), 5)}f}"
