"""Rows in a few unequal groups, and requests that follow one another: what rows taken as independent would decide."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import pytest
from scipy.stats import binom
from scipy.stats import t as student

from pytest_modelcompare.records import Estimate, Inference
from pytest_modelcompare.statistics.influence import from_influence
from pytest_modelcompare.statistics.latency import block_comparison, exceedance
from pytest_modelcompare.statistics.proportion import clopper_pearson, clustered_proportion
from tests.statistics.acceptance.worlds import (
    Z95,
    Errors,
    Share,
    autoregressive,
    clustered_answers,
    resampled_weights,
    unequal_clusters,
)

P = 0.9
RESAMPLES = 500
SCATTER = 0.3
"""Of log latency; its p95 is then exp(.3 * 1.645)."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A claim whose truth is the threshold, in many draws of groups."""

    bounds: Errors
    """Of every draw, also where the groups are too few for a verdict: undecided ones must not hide a short interval."""

    verdicts: Errors
    """An undecided one neither passes nor fails."""

    percentile: Errors
    undecided: Share

    @classmethod
    def of(cls, found: list[Inference], naive: list[tuple[bool, bool]]) -> Grouped:
        bounds = np.array([(one.p_above <= 0.05, one.p_below <= 0.05) for one in found])
        undecided = np.array([one.undecided_because is not None for one in found])
        verdicts = bounds & ~undecided[:, None]
        return cls(Errors.of(bounds), Errors.of(verdicts), Errors.of(naive), Share.of(undecided))


def proportion_in_groups(runs: int, groups: int, icc: float = 0.1, seed: int = 12) -> Grouped:
    rng = np.random.default_rng(seed)
    drawn = resampled_weights(rng, RESAMPLES, groups)
    ours, naive = [], []
    for _ in range(runs):
        clusters = unequal_clusters(rng, groups, 100)
        right = clustered_answers(rng, clusters, P, icc)
        ours.append(clustered_proportion(right, clusters, P, 0.95))
        resampled = (drawn @ np.bincount(clusters, weights=right)) / (drawn @ np.bincount(clusters))
        low, high = np.quantile(resampled, [0.05, 0.95])
        naive.append((low >= P, high <= P))
    return Grouped.of(ours, naive)


def difference_in_groups(runs: int, groups: int, seed: int = 13) -> Grouped:
    """Two contestants of equal accuracy on the same groups of rows."""
    rng = np.random.default_rng(seed)
    drawn = resampled_weights(rng, RESAMPLES, groups)
    ours, naive = [], []
    for _ in range(runs):
        clusters = unequal_clusters(rng, groups, 100)
        a, b = (clustered_answers(rng, clusters, P, 0.1).astype(float) for _ in range(2))
        value = float((a - b).mean())
        influence = ((a - b - value) / len(a))[None]
        ours.append(from_influence(Estimate(value, influence, np.array([value]), clusters), 0.0, 0.95))
        resampled = (drawn @ np.bincount(clusters, weights=a - b)) / (drawn @ np.bincount(clusters))
        low, high = np.quantile(resampled, [0.05, 0.95])
        naive.append((low >= 0, high <= 0))
    return Grouped.of(ours, naive)


def following_requests(runs: int, rho: float, n: int = 1000, seed: int = 14) -> tuple[Errors, Errors]:
    """p95 against its true value, 20 blocks of 50 requests: by blocks, by the order statistic of independent rows."""
    rng = np.random.default_rng(seed)
    logs, blocks = autoregressive(rng, runs, n, rho), np.arange(n) * 20 // n
    found = [exceedance(np.exp(SCATTER * row), blocks, 0.95, exp(SCATTER * Z95), 0.95) for row in logs]
    slower = (logs > Z95).sum(axis=1)
    as_rows = np.stack([binom.cdf(slower, n, 0.05) <= 0.05, binom.sf(slower - 1, n, 0.05) <= 0.05], axis=1)
    return Errors.of([(one.p_below <= 0.05, one.p_above <= 0.05) for one in found]), Errors.of(as_rows)


def half_of_the_others_latency(runs: int, seed: int = 15) -> tuple[Share, Share]:
    """`A.p95 <= B.p95 / 2` where both are equal, on a machine that drifts: interleaved blocks; A first, then B."""
    rng = np.random.default_rng(seed)
    interleaved, one_after_the_other = [], []
    place = np.repeat(np.arange(20), 50)
    for _ in range(runs):
        drift = 0.05 * autoregressive(rng, 1, 40, 0.9)[0]
        a, b = SCATTER * rng.normal(size=(2, 1000)) + np.array([[0.0], [log(2)]])
        beside_a, beside_b = np.exp(a + drift[0::2][place]), np.exp(b + drift[1::2][place])
        ratio = block_comparison(beside_a, place, beside_b, place, 0.95, 0.5, 0.0, 0.95)
        interleaved.append(ratio.p_below <= 0.05)
        first, then = np.sort(np.exp(a + drift[:20][place])), np.sort(np.exp(b + drift[20:][place]))
        one_after_the_other.append(clearly_faster(first, then / 2))
    return Share.of(interleaved), Share.of(one_after_the_other)


def five_milliseconds_apart(runs: int, seed: int = 16) -> tuple[Errors, Errors]:
    """p95 of A is B's plus 5 ms, blocks of 20 requests: by leaving out blocks, and by the p95 of each block."""
    rng = np.random.default_rng(seed)
    place, threshold, quantile = np.repeat(np.arange(20), 20), 5.0, exp(SCATTER * Z95)
    jackknife, by_block = [], []
    for _ in range(runs):
        drift = 0.015 * autoregressive(rng, 1, 40, 0.9)[0]
        a, b = np.exp(SCATTER * rng.normal(size=(2, 400)) + np.stack([drift[0::2][place], drift[1::2][place]]))
        a, b = (10 + threshold / quantile) * a, 10 * b
        found = block_comparison(a, place, b, place, 0.95, 1.0, threshold, 0.95)
        jackknife.append((found.p_above <= 0.05, found.p_below <= 0.05))
        apart = [np.quantile(a[place == k], 0.95) - np.quantile(b[place == k], 0.95) - threshold for k in range(20)]
        t = np.mean(apart) / (np.std(apart, ddof=1) / sqrt(20))
        by_block.append((student.sf(t, 19) <= 0.05, student.cdf(t, 19) <= 0.05))
    return Errors.of(jackknife), Errors.of(by_block)


def clearly_faster(a: np.ndarray, b: np.ndarray) -> bool:
    """A's 95 % order-statistic range of p95 lies below B's estimate: the look at two separate intervals."""
    above = clopper_pearson(0.95 * len(a), len(a), 0.95)[1]
    return bool(a[min(int(np.ceil(above * len(a))), len(a) - 1)] <= np.quantile(b, 0.95))


def test_verdicts_on_ten_unequal_groups_hold_seven_percent_where_the_bootstrap_does_not():
    found = proportion_in_groups(4000, 10)
    assert found.verdicts.at_most(7)
    assert found.percentile.passes.near(17.0)
    assert found.percentile.passes.exceeds(7)


@pytest.mark.parametrize("groups", [10, 20])
def test_bounds_of_a_proportion_in_unequal_groups_hold_seven_percent(groups: int):
    assert proportion_in_groups(10_000, groups).bounds.at_most(7)


def test_verdicts_on_a_difference_in_ten_groups_hold_their_level_where_the_bootstrap_does_not():
    found = difference_in_groups(3000, 10)
    assert found.verdicts.at_most(4.5)
    assert found.percentile.passes.exceeds(7)


def test_bounds_of_a_difference_in_unequal_groups_hold_their_level():
    assert difference_in_groups(5000, 10).bounds.at_most(4.5)


def test_forty_groups_are_enough_to_decide():
    # 40 groups of these sizes weigh as much as 19 equal ones, far from the 5 that decide nothing
    assert difference_in_groups(500, 40).undecided.at_most(2)


def test_requests_that_follow_one_another_are_counted_by_blocks():
    by_blocks, as_rows = following_requests(3000, 0.6)
    assert by_blocks.passes.near(5.5)
    assert by_blocks.at_most(7)
    assert as_rows.passes.near(12.6)
    assert as_rows.passes.exceeds(7)


def test_interleaved_blocks_cancel_the_drift_that_one_after_the_other_does_not():
    interleaved, one_after_the_other = half_of_the_others_latency(1200)
    assert interleaved.at_most(6)
    assert one_after_the_other.exceeds(7)


def test_a_margin_in_milliseconds_holds_seven_percent_where_the_quantiles_of_single_blocks_do_not():
    jackknife, by_block = five_milliseconds_apart(800)
    assert jackknife.at_most(7)
    assert by_block.fails.exceeds(7)  # the p95 of 20 requests lies below that of 400
