"""Latency quantiles against a number, and against another contestant's, from interleaved blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import log, sqrt

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
    value = float(np.quantile(milliseconds, quantile))
    low, high = agreeing(quantile_bounds(milliseconds, quantile, confidence), tested, threshold, confidence)
    because = too_few_requests(m, quantile, confidence)
    return Inference(value, low, high, tested.p_above, tested.p_below, method, m, because, tested.notes)


def quantile_bounds(milliseconds: NDArray[np.float64], quantile: float, confidence: float) -> tuple[float, float]:
    """One-sided order-statistic bounds of a quantile, for show."""
    ordered = np.sort(milliseconds)
    m = len(ordered)
    low, high = clopper_pearson(quantile * m, m, confidence)
    return float(ordered[int(low * (m - 1))]), float(ordered[min(int(np.ceil(high * (m - 1))), m - 1)])


def agreeing(
    bounds: tuple[float, float], tested: Inference, threshold: float, confidence: float
) -> tuple[float, float]:
    """Bounds for show that lie on the side of the threshold that the test says."""
    low, high = bounds
    high = min(high, threshold) if tested.p_below <= 1 - confidence else max(high, threshold)
    return (max(low, threshold) if tested.p_above <= 1 - confidence else min(low, threshold)), high


def too_few_requests(m: int, quantile: float, confidence: float) -> str | None:
    """An upper bound of a quantile needs at least ln(1 - confidence) / ln(quantile) requests: 59 for p95."""
    needed = int(np.ceil(log(1 - confidence) / log(quantile)))
    return f"{m} timed requests cannot bound this quantile; {needed} can" if m < needed else None


def block_comparison(
    ms_a: NDArray[np.float64],
    blocks_a: NDArray[np.int64],
    ms_b: NDArray[np.float64],
    blocks_b: NDArray[np.int64],
    quantile: float | None,
    factor: float,
    threshold: float,
    confidence: float,
) -> Inference:
    """A's latency minus `factor` times B's against a threshold, from blocks that ran side by side.

    What slows the machine slows both, so that the logarithm of their ratio is what Student's t
    is for; a threshold is added to the side where it is positive. Against 0, each block gives a
    ratio. A quantile of a block's few requests lies below that of all, which cancels in a ratio
    but not beside a threshold: then every figure is made from all blocks but one (jackknife).

    Args:
        quantile: None for the mean.
        threshold: milliseconds.

    Returns:
        value and bounds in milliseconds. The bounds are of the difference, made from all blocks but
        one: the ratio's would leave out how far B's own level may lie from the one measured.
    """
    method = "block jackknife" if threshold else "block log ratio"
    common = np.intersect1d(blocks_a, blocks_b)
    if len(common) < FEWEST_BLOCKS:
        because = f"{len(common)} blocks were timed side by side; {FEWEST_BLOCKS} can decide"
        return Inference(float("nan"), -np.inf, np.inf, 1.0, 1.0, method, len(ms_a), because)

    def sides(in_a: NDArray[np.bool_], in_b: NDArray[np.bool_]) -> tuple[float, float]:
        a, b = level(ms_a[in_a], quantile), factor * level(ms_b[in_b], quantile)
        return a + max(-threshold, 0.0), b + max(threshold, 0.0)

    in_a, in_b = np.isin(blocks_a, common), np.isin(blocks_b, common)
    first, second = sides(in_a, in_b)
    g = len(common)
    without = [sides(in_a & (blocks_a != block), in_b & (blocks_b != block)) for block in common]
    if threshold == 0:
        each = log_ratios(sides(blocks_a == block, blocks_b == block) for block in common)
        value, se = float(each.mean()), float(each.std(ddof=1)) / sqrt(g)
    else:
        each = log_ratios(without)
        value, se = log(first / second), float(each.std()) * sqrt(g - 1)
    tested = t_inference(value, se, g - 1, 0.0, confidence, method, len(ms_a))
    in_ms = threshold + second * float(np.expm1(value))
    se_ms = float(np.std([a - b for a, b in without])) * sqrt(g - 1)
    shown = t_inference(in_ms, se_ms, g - 1, threshold, confidence, method, len(ms_a))
    low, high = agreeing((shown.low, shown.high), tested, threshold, confidence)
    return replace(tested, value=in_ms, low=low, high=high)


def log_ratios(pairs: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
    return np.array([log(a / b) for a, b in pairs])


def level(milliseconds: NDArray[np.float64], quantile: float | None) -> float:
    """A quantile, or the mean."""
    return float(milliseconds.mean() if quantile is None else np.quantile(milliseconds, quantile))
