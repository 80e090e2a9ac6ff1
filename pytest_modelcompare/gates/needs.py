"""What a claim needs: which contestants, and of each what."""

from __future__ import annotations

from pytest_modelcompare.gates.claims import Claim, metrics_of
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
        if need is Need.BREAK_EVEN and metric.argument:
            needs.setdefault(metric.argument, set()).add(Need.COST)
            needs[metric.contestant] |= {Need.COST, Need.TRAIN_COST}
    return needs
