"""What was measured beside answers, as estimates: times, memory, sizes, costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics.catalogue import LATENCY_QUANTILES
from pytest_modelcompare.records import Cost, Estimate, Evidence

TEST_ROWS, REQUESTS, BLOCKS = "test rows", "timed requests", "blocks"
T = TypeVar("T")


def exact(value: float) -> Estimate:
    return Estimate(value, np.zeros((1, 0)), np.array([value]))


def latency(metric: str, evidence: Evidence) -> Estimate:
    fix = evidence.not_timed.get("", "only contestants that run or are asked here are")
    times = required(evidence.latencies, f"{evidence.name} was not timed", fix)
    ms, quantile = times.milliseconds, LATENCY_QUANTILES[metric]
    if quantile is None:
        value = float(ms.mean())
        influence = np.asarray((ms - value) / len(ms), np.float64)
    else:
        value = float(np.quantile(ms, quantile))
        influence = np.asarray((quantile - (ms <= value)) / (len(ms) * density_at(ms, value)), np.float64)
    return Estimate(value, influence[None], np.array([value]), times.blocks, REQUESTS)


def timed_at(evidence: Evidence, place: str) -> Evidence:
    """A contestant with the times, memory and costs that were measured on a device or at a length.

    Args:
        place: as a gate names it: "cpu", "128", "cpu, 128".

    Raises:
        GateError: it was not timed there; says why.
    """
    speed = evidence.speeds.get(place)
    if speed is None:
        because = evidence.not_timed.get(place, "its gates were not run in this session")
        raise GateError(
            f"{evidence.name} was not timed at ({place}): {because}",
            fix="run this gate on such a machine, or leave the parentheses out",
        )
    return replace(
        evidence,
        latencies=speed.latencies,
        throughput=speed.throughput,
        footprint=replace(evidence.footprint, inference_memory_mb=speed.memory_mb),
        cost=speed.cost,
        no_cost_because=speed.no_cost_because,
    )


def density_at(values: NDArray[np.float64], point: float) -> float:
    """A kernel estimate of the density, for the influence of a quantile."""
    width = max(1.06 * float(values.std()) * len(values) ** -0.2, 1e-9 + 1e-3 * abs(point))
    return float(np.exp(-0.5 * ((values - point) / width) ** 2).mean() / (width * np.sqrt(2 * np.pi)))


def throughput(metric: str, evidence: Evidence) -> Estimate:
    fix = evidence.not_timed.get("", "only contestants that run here have one")
    speed = required(evidence.throughput, f"{evidence.name} has no throughput", fix)
    factor = 1.0
    if metric == "tokens_per_s":
        factor = speed.tokens_per_row
        if not np.isfinite(factor):
            raise GateError(f"{evidence.name} has no tokenizer, so no tokens_per_s")
    return of_blocks(speed.rows_per_s * factor)


def of_blocks(values: NDArray[np.float64]) -> Estimate:
    mean = float(values.mean())
    return Estimate(mean, ((values - mean) / len(values))[None], np.array([mean]), None, BLOCKS)


def footprint(metric: str, evidence: Evidence) -> Estimate:
    value = float(getattr(evidence.footprint, metric))
    if not np.isfinite(value):
        raise GateError(f"{evidence.name} has no {metric}: it was not measured")
    return exact(value)


def cost(metric: str, evidence: Evidence) -> Estimate:
    paid = required(evidence.cost, f"{evidence.name} has no cost", no_cost(evidence))
    factor = 1_000.0
    if metric == "cost_per_million_tokens":
        if not np.isfinite(paid.tokens_per_row) or paid.tokens_per_row <= 0:
            raise GateError(f"{evidence.name} has no count of tokens, so no {metric}")
        factor = 1e6 / paid.tokens_per_row
    return scaled_cost(paid, factor, evidence)


def scaled_cost(paid: Cost, factor: float, evidence: Evidence) -> Estimate:
    values = paid.usd_per_row * factor
    if not paid.per_test_row:
        return of_blocks(values)
    mean = float(values.mean())
    return Estimate(mean, ((values - mean) / len(values))[None], np.array([mean]), evidence.clusters, TEST_ROWS)


def train_cost_of(evidence: Evidence) -> float | None:
    return evidence.train_cost_usd


def no_cost(evidence: Evidence) -> str:
    return evidence.no_cost_because or "a cost needs a price"


def break_even(evidence: Evidence, other: Evidence | None) -> Estimate:
    """Predictions until the training is paid: train_cost / (cost of OTHER - own cost), per prediction."""
    if other is None:
        raise GateError("break_even needs the other contestant", fix="write break_even(OTHER)")
    own, theirs = cost("cost_per_1k", evidence), cost("cost_per_1k", other)
    fixed = required(train_cost_of(evidence), f"{evidence.name} has no training cost", no_cost(evidence))
    saved = (theirs.value - own.value) / 1_000
    if saved <= 0:
        raise GateError(f"{evidence.name} never breaks even: a prediction costs no less than {other.name}'s")
    value = fixed / saved
    slope = value / saved / 1_000
    influence = np.concatenate([own.influence * slope, -theirs.influence * slope], axis=1)
    clusters = None
    if theirs.clusters is not None:  # own blocks stand each for itself
        blocks = np.arange(own.influence.shape[1]) if own.clusters is None else own.clusters
        clusters = np.concatenate([blocks, theirs.clusters + int(blocks.max()) + 1])
    kinds = (own.influence.shape[1], theirs.influence.shape[1])
    return Estimate(value, influence, np.array([value]), clusters, "costs of both sides", kinds)


def required(value: T | None, what: str, fix: str) -> T:
    if value is None:
        raise GateError(what, fix=fix)
    return value
