"""The mean of a per-row quantity against a number: Brier, log-loss, cost, mean latency; differences as one vector."""

from __future__ import annotations

from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from pytest_modelcompare.records import Inference
from pytest_modelcompare.statistics.bootstrap import SKEWED as SKEWED
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


class HasSpread(Protocol):
    """As much of an estimate's spread as a test needs."""

    @property
    def variance(self) -> float: ...
    @property
    def df(self) -> float: ...
    @property
    def skewness(self) -> float: ...


def hall_inference(
    value: float, spread: HasSpread, threshold: float, confidence: float, method: str, n: int
) -> Inference:
    """Student's t after Hall's transformation, which takes the skewness of the estimate out of it.

    g(t) = t + k t²/3 + k² t³/27 + k/6 with k the estimate's skewness grows with t, so
    tests and bounds agree.

    Source: Hall (1992), https://doi.org/10.1111/j.2517-6161.1992.tb01872.x
    """
    se, skew = sqrt(spread.variance), spread.skewness

    def transformed(t: float) -> float:
        return t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6

    def undone(x: float) -> float:
        return 3 / skew * (float(np.cbrt(1 + skew * (x - skew / 6))) - 1)

    quantile = float(stdtrit(spread.df, confidence))
    t = transformed((value - threshold) / se)
    low, high = value - undone(quantile) * se, value - undone(-quantile) * se
    return Inference(value, low, high, float(stdtr(spread.df, -t)), float(stdtr(spread.df, t)), method, n)
