"""What a machine costs: its hourly price over the share of the hour in which it works."""

from __future__ import annotations

from pytest_modelcompare.records import Cost, Throughput

SECONDS_PER_HOUR = 3600


def compute_cost(throughput: Throughput, price_per_hour: float, utilisation: float) -> Cost:
    """USD per prediction of a local model in steady use, one value per measuring block.

    Args:
        price_per_hour: USD per hour of the machine.
        utilisation: share of the paid hour in which it works, above 0 to 1.
    """
    usd_per_second = price_per_hour / utilisation / SECONDS_PER_HOUR
    assumptions = f"{price_per_hour:.2f} USD per machine hour, {utilisation:.0%} of it used"
    return Cost(usd_per_second / throughput.rows_per_s, False, throughput.tokens_per_row, assumptions)


def train_cost_usd(seconds: float, price_per_hour: float, utilisation: float) -> float:
    """USD for so many seconds of training."""
    return seconds * price_per_hour / utilisation / SECONDS_PER_HOUR
