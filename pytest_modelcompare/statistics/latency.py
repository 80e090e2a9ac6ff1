"""Latency quantiles against a number, and against another contestant's, from interleaved blocks."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.records import Inference
from pytest_modelcompare.statistics.means import t_inference
from pytest_modelcompare.statistics.proportion import clopper_pearson, clustered_proportion, exact_proportion

FEWEST_BLOCKS = 5


def exceedance(
    milliseconds: NDArray[np.float64],
    blocks: NDArray[np.int64],
    quantile: float,
    threshold: float,
    confidence: float,
) -> Inference:
    """A latency quantile against a number: whether more than 1 - quantile of the requests exceed it.

    Requests of one block are a cluster: they share the state of the machine.

    Args:
        milliseconds: shape (m,).
        blocks: shape (m,).
        quantile: 0.5, 0.95, …
        threshold: milliseconds.
    """
    m = len(milliseconds)
    slower = milliseconds > threshold
    limit = 1 - quantile
    tested = exact_proportion(int(slower.sum()), m, limit, confidence)
    method = "exact exceedance"
    if len(np.unique(blocks)) >= FEWEST_BLOCKS and 0 < slower.sum() < m:
        tested = clustered_proportion(slower, blocks, limit, confidence)
        method = "exceedance in interleaved blocks"
    low, high = quantile_bounds(milliseconds, quantile, confidence)
    value = float(np.quantile(milliseconds, quantile))
    # few exceedances mean a fast contestant: the sides change places
    low, high = (low, min(high, threshold)) if tested.p_below <= 1 - confidence else (low, max(high, threshold))
    low = max(low, threshold) if tested.p_above <= 1 - confidence else min(low, threshold)
    because = too_few_requests(m, quantile, confidence)
    return Inference(value, low, high, tested.p_above, tested.p_below, method, m, because, tested.notes)


def quantile_bounds(milliseconds: NDArray[np.float64], quantile: float, confidence: float) -> tuple[float, float]:
    """One-sided order-statistic bounds of a quantile, for show."""
    ordered = np.sort(milliseconds)
    m = len(ordered)
    low, high = clopper_pearson(quantile * m, m, confidence)
    return float(ordered[int(low * (m - 1))]), float(ordered[min(int(np.ceil(high * (m - 1))), m - 1)])


def too_few_requests(m: int, quantile: float, confidence: float) -> str | None:
    """An upper bound of a quantile needs at least ln(1 - confidence) / ln(quantile) requests: 59 for p95."""
    needed = int(np.ceil(log(1 - confidence) / log(quantile)))
    return f"{m} timed requests cannot bound this quantile; {needed} can" if m < needed else None


def block_log_ratio(
    ms_a: NDArray[np.float64],
    blocks_a: NDArray[np.int64],
    ms_b: NDArray[np.float64],
    blocks_b: NDArray[np.int64],
    quantile: float | None,
    factor: float,
    confidence: float,
) -> Inference:
    """A's latency minus `factor` times B's, through the log ratio of each block.

    Blocks ran side by side, so what slows the machine slows both.

    Args:
        quantile: None for the mean.

    Returns:
        value and bounds in milliseconds at B's level: factor x B x (ratio / factor - 1).
    """
    common = np.intersect1d(blocks_a, blocks_b)
    if len(common) < FEWEST_BLOCKS:
        because = f"{len(common)} blocks were timed side by side; {FEWEST_BLOCKS} can decide"
        return Inference(float("nan"), -np.inf, np.inf, 1.0, 1.0, "block log ratio", len(ms_a), because)

    def level(milliseconds: NDArray[np.float64]) -> float:
        return float(milliseconds.mean() if quantile is None else np.quantile(milliseconds, quantile))

    ratios = [log(level(ms_a[blocks_a == block]) / level(ms_b[blocks_b == block])) for block in common]
    values = np.array(ratios) - log(factor)
    se = float(values.std(ddof=1)) / len(values) ** 0.5
    tested = t_inference(float(values.mean()), se, len(values) - 1, 0.0, confidence, "block log ratio", len(ms_a))
    scale = factor * level(ms_b)

    def in_ms(log_ratio: float) -> float:
        return scale * float(np.expm1(log_ratio))

    return replace(tested, value=in_ms(tested.value), low=in_ms(tested.low), high=in_ms(tested.high))
