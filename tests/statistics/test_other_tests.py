"""AUROC, bootstrap, means, seeds, latency: one fact each; their error rates are simulated in `acceptance/`."""

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
from pytest_modelcompare.statistics.latency import block_comparison, exceedance
from pytest_modelcompare.statistics.means import mean
from pytest_modelcompare.statistics.multiplicity import holm
from pytest_modelcompare.statistics.rows_needed import rows_for_proportion
from tests.statistics.acceptance.worlds import binormal, two_columns

RNG = np.random.default_rng(11)


def test_auroc_is_scikit_learns_and_its_influence_sums_to_nothing():
    truth, scores = RNG.integers(0, 2, 300), np.round(RNG.random(300), 1)
    area, influence = placements(truth == 1, scores)
    assert area == pytest.approx(roc_auc_score(truth, scores))
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def test_a_perfect_area_has_an_interval():
    truth, scores = np.repeat([1, 0], [10, 90]), np.repeat([1.0, 0.0], [10, 90])
    found = auroc(truth, np.stack([-scores, scores], axis=1), 0.5, 0.95, label=1)
    assert found.high == 1.0
    assert 0.8 < found.low < 1.0


def test_the_difference_of_areas_is_delongs_where_rows_suffice():
    truth, scores = binormal(RNG, 500, 500, 0.76)
    a = two_columns(scores)
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


def test_p95_needs_fifty_nine_requests():
    ms, blocks = np.ones(58), np.arange(58) % 20
    assert exceedance(ms, blocks, 0.95, 2.0, 0.95).undecided_because is not None
    assert exceedance(np.ones(59), np.arange(59) % 20, 0.95, 2.0, 0.95).p_below <= 0.05


def test_a_ratio_of_latencies_cancels_what_slows_both():
    blocks = np.repeat(np.arange(20), 20)
    drift = np.repeat(np.linspace(1, 3, 20), 20)
    fast, slow = 10 * drift * RNG.normal(1, 0.02, 400), 30 * drift * RNG.normal(1, 0.02, 400)
    found = block_comparison(fast, blocks, slow, blocks, 0.95, 1 / 2, 0.0, 0.95)
    assert found.p_below < 1e-6
    assert block_comparison(fast, blocks, slow, blocks, 0.95, 1 / 4, 0.0, 0.95).p_above < 1e-6


def test_holm_adjusts_by_rank():
    # smallest x 3, next x 2, never below the one before
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_rows_needed_match_the_worked_figures():
    assert rows_for_proportion(0.93, 0.94) == pytest.approx(3839, abs=2)
    assert rows_for_proportion(0.90, 0.92) == pytest.approx(1303, abs=2)


def test_a_margin_in_milliseconds_compares_all_requests_of_both():
    blocks = np.repeat(np.arange(20), 20)
    drift = np.repeat(np.linspace(1, 1.2, 20), 20)
    fast, slow = 10 * drift * RNG.normal(1, 0.02, 400), 30 * drift * RNG.normal(1, 0.02, 400)
    found = block_comparison(slow, blocks, fast, blocks, 0.5, 1.0, 15.0, 0.95)
    assert found.value == pytest.approx(np.median(slow) - np.median(fast))
    assert found.p_above < 1e-6
    assert 15 < found.low < found.value < found.high
    # fast is slower by less than -25 ms: the threshold stands on the other side
    other = block_comparison(fast, blocks, slow, blocks, 0.5, 1.0, -25.0, 0.95)
    assert other.value == pytest.approx(np.median(fast) - np.median(slow))
    assert other.p_above < 1e-3
