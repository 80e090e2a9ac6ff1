"""The metrics' page of the docs, made from the catalogue."""

from __future__ import annotations

from math import isfinite

from pytest_modelcompare.metrics.catalogue import METRICS, MetricSpec


def markdown() -> str:
    """One table row per metric."""
    head = ["| metric | range | better | needs | definition |", "|---|---|---|---|---|"]
    return "\n".join(head + [row(spec) for spec in METRICS.values()]) + "\n"


def row(spec: MetricSpec) -> str:
    high = f"{spec.high:g}" if isfinite(spec.high) else "∞"
    unit = f" {spec.unit}" if spec.unit else ""
    better = "higher" if spec.higher_is_better else "lower"
    return f"| `{spec.name}` | {spec.low:g} to {high}{unit} | {better} | {spec.needs} | {spec.definition} |"
