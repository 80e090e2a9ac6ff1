"""What a claim needs: which contestants, and of each what."""

from __future__ import annotations

from pytest_modelcompare.gates.claims import Claim, Metric, metrics_of
from pytest_modelcompare.metrics.catalogue import METRICS, Need


def contestants_of(claim: Claim) -> frozenset[str]:
    """Every contestant that a claim names."""
    return frozenset(needs_of(claim))


def needs_of(claim: Claim) -> dict[str, set[Need]]:
    """Contestant → what must be known of it."""
    needs: dict[str, set[Need]] = {}
    for metric in metrics_of(claim):
        need = METRICS[metric.name].needs
        needs.setdefault(metric.contestant, set()).add(need)
        for other in others_of(metric):
            needs.setdefault(other, set()).add(Need.COST)
            needs[metric.contestant] |= {Need.COST, Need.TRAIN_COST}
    return needs


def others_of(metric: Metric) -> list[str]:
    """The contestant in a metric's parentheses, where one stands there: a device or a length is none."""
    return [metric.argument] if METRICS[metric.name].needs is Need.BREAK_EVEN and metric.argument else []


def places_of(claim: Claim) -> frozenset[tuple[str, str]]:
    """Contestants with the device or length that a claim names for them, as it stands in parentheses."""
    metrics = [metric for metric in metrics_of(claim) if not others_of(metric)]
    return frozenset((metric.contestant, metric.argument) for metric in metrics if metric.argument)
