"""The mean of a per-row quantity against a number: Brier, log-loss, cost, mean latency; differences as one vector."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from pytest_modelcompare.records import Inference
from pytest_modelcompare.statistics.bootstrap import bca_mean, skewness

T_UP_TO = 0.1
"""|skewness| / √n up to which the t interval is trusted."""


def mean(values: NDArray[np.float64], threshold: float, confidence: float) -> Inference:
    """Student's t on the rows; BCa where the values are skewed for their number.

    Args:
        values: shape (n,); for a paired comparison the differences.
    """
    n = len(values)
    value = float(values.mean())
    if n < 2:
        return Inference(value, -np.inf, np.inf, 1.0, 1.0, "t", n, "one value decides nothing")
    if abs(skewness(values)) / sqrt(n) > T_UP_TO:
        return bca_mean(values, threshold, confidence)
    return t_inference(value, float(values.std(ddof=1)) / sqrt(n), n - 1, threshold, confidence, "t", n)


def t_inference(
    value: float, se: float, df: float, threshold: float, confidence: float, method: str, n: int
) -> Inference:
    """Bounds and p-values of an estimate with a t distribution."""
    if se <= 0:
        return Inference(value, value, value, float(value <= threshold), float(value >= threshold), method, n)
    half = float(stdtrit(df, confidence)) * se
    t = (value - threshold) / se
    return Inference(value, value - half, value + half, float(stdtr(df, -t)), float(stdtr(df, t)), method, n)
