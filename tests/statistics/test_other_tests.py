"""AUROC, bootstrap, means, seeds, latency: against other libraries, and small simulations with controls that fail."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.weightstats import DescrStatsW

from pytest_modelcompare.metrics.classification import confusion_statistic, value_and_influence
from pytest_modelcompare.records import Estimate
from pytest_modelcompare.statistics.auroc import auroc, auroc_difference, placements
from pytest_modelcompare.statistics.bootstrap import bca
from pytest_modelcompare.statistics.influence import from_influence
from pytest_modelcompare.statistics.latency import block_log_ratio, exceedance
from pytest_modelcompare.statistics.means import mean
from pytest_modelcompare.statistics.multiplicity import holm
from pytest_modelcompare.statistics.paired import tango_z
from pytest_modelcompare.statistics.rows_needed import rows_for_paired, rows_for_proportion

RNG = np.random.default_rng(11)


def within(share: float, limit: float, runs: int) -> bool:
    """At most the limit plus three Monte Carlo standard errors."""
    return share <= limit + 3 * np.sqrt(limit * (1 - limit) / runs)


def test_auroc_is_scikit_learns_and_its_influence_sums_to_nothing():
    truth, scores = RNG.integers(0, 2, 300), np.round(RNG.random(300), 1)
    area, influence = placements(truth == 1, scores)
    assert area == pytest.approx(roc_auc_score(truth, scores))
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def binormal(rng: np.random.Generator, m1: int, m0: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    truth = np.repeat([1, 0], [m1, m0])
    score = rng.normal(size=m1 + m0) + shift * truth
    return truth, np.stack([-score, score], axis=1)


def test_a_small_class_does_not_pass_too_often():
    # 15 + 285 rows, true area .9032 (shift 1.838): the Wald interval passes 16 %, method 5 about 1.5 %
    rng, runs, passed, wald = np.random.default_rng(5), 400, 0, 0
    for _ in range(runs):
        truth, scores = binormal(rng, 15, 285, 1.838)
        passed += auroc(truth, scores, 0.9032, 0.95, label=1).p_above <= 0.05
        area, influence = placements(truth == 1, scores[:, 1])
        wald += area - 1.645 * np.sqrt((influence**2).sum()) >= 0.9032
    assert within(passed / runs, 0.05, runs)
    assert wald / runs > 0.10


def test_a_perfect_area_has_an_interval():
    truth, scores = np.repeat([1, 0], [10, 90]), np.repeat([1.0, 0.0], [10, 90])
    found = auroc(truth, np.stack([-scores, scores], axis=1), 0.5, 0.95, label=1)
    assert found.high == 1.0
    assert 0.8 < found.low < 1.0


def test_the_difference_of_areas_is_delongs_where_rows_suffice():
    truth, a = binormal(RNG, 500, 500, 1.0)
    b = a + RNG.normal(size=a.shape)
    found = auroc_difference(truth, a, b, 0.0, 0.95, label=1)
    assert found.method == "DeLong"
    assert found.value == pytest.approx(roc_auc_score(truth, a[:, 1]) - roc_auc_score(truth, b[:, 1]))
    assert found.low < found.value < found.high


def test_bca_of_accuracy_is_near_the_normal_interval():
    truth = RNG.integers(0, 4, 2000)
    answer = np.where(RNG.random(2000) < 0.9, truth, (truth + 1) % 4)
    value, influence = value_and_influence("accuracy", truth, answer, 4, None)
    found = bca(truth, (answer,), confusion_statistic("accuracy"), 4, 0.9, 0.95, influence)
    half = 1.645 * np.sqrt((influence**2).sum())
    assert (found.low, found.high) == pytest.approx((value - half, value + half), abs=0.002)


def test_bca_of_a_difference_resamples_rows_in_pairs():
    truth = RNG.integers(0, 4, 1000)
    answer = np.where(RNG.random(1000) < 0.9, truth, (truth + 1) % 4)
    found = bca(truth, (answer, answer), confusion_statistic("f1"), 4, 0.0, 0.95, np.zeros(1000))
    assert (found.low, found.high) == (0.0, 0.0)


def test_bca_is_undecided_where_a_label_has_four_rows():
    truth = np.array([0] * 4 + [1] * 96)
    found = bca(truth, (truth,), confusion_statistic("f1"), 2, 0.5, 0.95, np.zeros(100))
    assert found.undecided_because is not None
    assert "fewer than 5" in found.undecided_because


def test_a_mean_has_students_interval():
    values = RNG.normal(1, 0.5, 200)
    assert (mean(values, 1, 0.95).low, mean(values, 1, 0.95).high) == pytest.approx(
        DescrStatsW(values).tconfint_mean(0.10)
    )


def test_a_wildly_skewed_mean_is_undecided():
    values = np.zeros(60)
    values[0] = 1e6
    assert mean(values, 1, 0.95).undecided_because is not None


def test_clusters_widen_by_what_they_share():
    values = np.repeat(RNG.normal(size=50), 10)
    centred = ((values - values.mean()) / 500)[None]
    clusters = np.repeat(np.arange(50), 10)
    free = from_influence(Estimate(0.0, centred, np.zeros(1)), 0, 0.95)
    tied = from_influence(Estimate(0.0, centred, np.zeros(1), clusters), 0, 0.95)
    assert (tied.high - tied.low) / (free.high - free.low) == pytest.approx(np.sqrt(10), rel=0.05)


def test_seeds_as_readers_hold_their_level_where_rows_alone_do_not():
    # 3 seeds, seed SD 1 pt, row SE .55 pt shared but for 13 %: rows only 13 %, Obuchowski–Rockette–Hillis 5.5 %
    rng, runs, ours, rows_only = np.random.default_rng(3), 1500, 0, 0
    n = 200
    for _ in range(runs):
        shared, own = rng.normal(size=n), rng.normal(size=(3, n))
        noise = 0.0055 * (np.sqrt(0.87) * shared + np.sqrt(0.13) * own) / np.sqrt(n)
        values = 0.9 + rng.normal(0, 0.01, 3) + noise.sum(axis=1)
        influence = noise - noise.mean(axis=1, keepdims=True)
        estimate = Estimate(float(values.mean()), influence, values)
        ours += from_influence(estimate, 0.9, 0.95).p_above <= 0.05
        se = np.sqrt((influence.mean(axis=0) ** 2).sum())
        rows_only += values.mean() - 1.645 * se >= 0.9
    assert within(ours / runs, 0.055, runs)
    assert rows_only / runs > 0.10


def test_p95_needs_fifty_nine_requests():
    ms, blocks = np.ones(58), np.arange(58) % 20
    assert exceedance(ms, blocks, 0.95, 2.0, 0.95).undecided_because is not None
    assert exceedance(np.ones(59), np.arange(59) % 20, 0.95, 2.0, 0.95).p_below <= 0.05


def test_a_ratio_of_latencies_cancels_what_slows_both():
    blocks = np.repeat(np.arange(20), 20)
    drift = np.repeat(np.linspace(1, 3, 20), 20)
    fast, slow = 10 * drift * RNG.normal(1, 0.02, 400), 30 * drift * RNG.normal(1, 0.02, 400)
    found = block_log_ratio(fast, blocks, slow, blocks, 0.95, 1 / 2, 0.95)
    assert found.p_below < 1e-6
    assert block_log_ratio(fast, blocks, slow, blocks, 0.95, 1 / 4, 0.95).p_above < 1e-6


def test_holm_adjusts_by_rank():
    # smallest x 3, next x 2, never below the one before
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_rows_needed_match_the_worked_figures():
    assert rows_for_proportion(0.93, 0.94) == pytest.approx(3839, abs=2)
    assert rows_for_proportion(0.90, 0.92) == pytest.approx(1303, abs=2)


def test_the_rows_needed_for_a_pair_give_eighty_percent_power():
    # a difference of .04 against a margin of .02 where a tenth of the rows is discordant
    n = int(rows_for_paired(0.10, 0.02, 0.04))
    draws = np.random.default_rng(8).multinomial(n, [0.07, 0.03, 0.90], size=4000)
    power = np.mean([tango_z(b, c, n, 0.02) > 1.6449 for b, c, _ in draws])
    assert power == pytest.approx(0.80, abs=0.03)
