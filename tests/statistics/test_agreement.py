"""Agreement to 1e-6 with scipy, statsmodels, scikit-learn, published examples and computations by definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from pytest_modelcompare.metrics.classification import confusion_statistic, value_and_influence
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.records import Evidence, Predictions
from pytest_modelcompare.statistics.auroc import delong_variance, placements
from pytest_modelcompare.statistics.bootstrap import bca
from pytest_modelcompare.statistics.means import mean
from pytest_modelcompare.statistics.multiplicity import holm
from pytest_modelcompare.statistics.paired import tango_bounds, tango_z
from pytest_modelcompare.statistics.proportion import clopper_pearson, clustered_proportion, exact_proportion

EXACTLY = 1e-6
LABELS = ("a", "b", "c", "d")


@pytest.mark.parametrize(("k", "n"), [(0, 20), (1, 7), (93, 100), (2864, 3080), (3080, 3080)])
def test_bounds_of_a_proportion_are_statsmodels_beta_interval(k: int, n: int):
    assert clopper_pearson(k, n, 0.95) == pytest.approx(proportion_confint(k, n, 0.10, "beta"), abs=EXACTLY)


@pytest.mark.parametrize(("k", "n", "p0"), [(0, 20, 0.1), (93, 100, 0.9), (2864, 3080, 0.92), (20, 20, 0.9)])
def test_p_values_of_a_proportion_are_scipys_binomial_test(k: int, n: int, p0: float):
    found = exact_proportion(k, n, p0, 0.95)
    assert found.p_above == pytest.approx(stats.binomtest(k, n, p0, "greater").pvalue, abs=EXACTLY)
    assert found.p_below == pytest.approx(stats.binomtest(k, n, p0, "less").pvalue, abs=EXACTLY)


@pytest.mark.parametrize(("b", "c"), [(41, 33), (400, 95), (7, 1)])
def test_tangos_statistic_at_margin_zero_is_statsmodels_mcnemar(b: int, c: int):
    theirs = mcnemar([[100, b], [c, 20]], exact=False, correction=False)
    assert tango_z(b, c, 120 + b + c, 0.0) ** 2 == pytest.approx(theirs.statistic, abs=EXACTLY)


@pytest.mark.parametrize(
    ("counts", "confidence", "bounds", "half_a_digit"),
    [
        ((1, 7, 21), 0.975, (-0.517, -0.026), 5e-4),
        ((40, 20, 160), 0.975, (0.0309, 0.2181), 5e-5),
        ((400, 95, 3080), 0.95, (0.0877, 0.1107), 5e-5),
    ],
)
def test_tangos_bounds_match_the_printed_examples(counts: tuple[int, int, int], confidence, bounds, half_a_digit):
    assert tango_bounds(*counts, confidence) == pytest.approx(bounds, abs=half_a_digit)


def test_tangos_bounds_without_a_discordant_row_have_a_closed_form():
    # z² / (n + z²) = 2.7055 / 302.7055 = .00894 at 90 % two-sided
    z = stats.norm.ppf(0.95)
    limit = z**2 / (300 + z**2)
    assert limit == pytest.approx(0.00894, abs=5e-6)
    assert tango_bounds(0, 0, 300, 0.95) == pytest.approx((-limit, limit), abs=EXACTLY)


@pytest.mark.parametrize(("margin", "z"), [(0.05, 7.179), (0.08, 2.769), (0.09, 1.302)])
def test_tangos_statistic_matches_the_worked_figures(margin: float, z: float):
    assert tango_z(400, 95, 3080, margin) == pytest.approx(z, abs=5e-4)


def test_a_paired_mean_is_scipys_t_test():
    a, b = np.random.default_rng(1).normal([[0.3], [0.2]], 0.5, (2, 400))
    found = mean(a - b, 0.02, 0.95)
    assert found.p_above == pytest.approx(stats.ttest_rel(a, b + 0.02, alternative="greater").pvalue, abs=EXACTLY)
    assert found.p_below == pytest.approx(stats.ttest_rel(a, b + 0.02, alternative="less").pvalue, abs=EXACTLY)
    interval = stats.ttest_rel(a, b).confidence_interval(0.90)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=EXACTLY)


def world() -> tuple[np.ndarray, np.ndarray, np.ndarray, Evidence]:
    """500 rows, 4 labels of unequal frequency, scores that err in a fifth of them."""
    rng = np.random.default_rng(2)
    truth = rng.choice(4, 500, p=[0.5, 0.3, 0.15, 0.05])
    scores = rng.dirichlet(np.ones(4), 500) + 0.6 * np.eye(4)[truth]
    scores /= scores.sum(axis=1, keepdims=True)
    answer = scores.argmax(axis=1)
    evidence = Evidence("m", "fine_tune", LABELS, truth, predictions=(Predictions(answer, scores),))
    return truth, answer, scores, evidence


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [
        ("accuracy", sk.accuracy_score),
        ("balanced_accuracy", sk.balanced_accuracy_score),
        ("mcc", sk.matthews_corrcoef),
        ("f1", lambda y, p: sk.f1_score(y, p, average="macro")),
        ("f1_weighted", lambda y, p: sk.f1_score(y, p, average="weighted")),
        ("precision", lambda y, p: sk.precision_score(y, p, average="macro")),
        ("recall", lambda y, p: sk.recall_score(y, p, average="macro")),
    ],
)
def test_metrics_of_the_label_are_scikit_learns(metric: str, theirs):
    truth, answer, _, evidence = world()
    assert estimate(metric, evidence).value == pytest.approx(theirs(truth, answer), abs=EXACTLY)


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [
        ("auroc", lambda y, s: sk.roc_auc_score(y, s, multi_class="ovr", average="macro")),
        ("average_precision", lambda y, s: sk.average_precision_score(np.eye(4)[y], s, average="macro")),
        ("log_loss", sk.log_loss),
        ("brier", lambda y, s: np.mean([sk.brier_score_loss(y == k, s[:, k]) for k in range(4)]) * 4),
    ],
)
def test_metrics_of_the_scores_are_scikit_learns(metric: str, theirs):
    truth, _, scores, evidence = world()
    assert estimate(metric, evidence).value == pytest.approx(theirs(truth, scores), abs=EXACTLY)


@pytest.mark.parametrize("label", range(4))
def test_f1_of_one_label_is_scikit_learns(label: int):
    truth, answer, _, evidence = world()
    theirs = sk.f1_score(truth, answer, average=None)[label]
    assert estimate("f1", evidence, LABELS[label]).value == pytest.approx(theirs, abs=EXACTLY)


def test_delongs_variance_is_that_of_all_pairs():
    rng = np.random.default_rng(3)
    positive = rng.random(200) < 0.3
    scores = np.round(rng.normal(size=200) + positive, 1)  # rounded: with ties
    ours, others = scores[positive], scores[~positive]
    wins = (ours[:, None] > others) + 0.5 * (ours[:, None] == others)  # (m1, m0)
    by_pairs = wins.mean(axis=1).var(ddof=1) / len(ours) + wins.mean(axis=0).var(ddof=1) / len(others)
    area, influence = placements(positive, scores)
    assert area == pytest.approx(wins.mean(), abs=EXACTLY)
    assert delong_variance(positive.astype(np.int64), influence, 1)[0] == pytest.approx(by_pairs, abs=1e-9)


def test_holm_is_statsmodels():
    p_values = np.random.default_rng(4).random(20) ** 3
    assert holm(list(p_values)) == pytest.approx(multipletests(p_values, method="holm")[1], abs=EXACTLY)


def korn_graubard_by_deletion(right: np.ndarray, clusters: np.ndarray, confidence: float) -> tuple[float, float]:
    """Each cluster is left out in turn; the rows are then worth n_eff rows of independent answers."""
    n, p = len(right), right.mean()
    numbers, sizes = np.unique(clusters, return_counts=True)
    without = np.array([right[clusters != number].mean() for number in numbers])
    variance = (len(numbers) - 1) / len(numbers) * ((without - p) ** 2).sum()
    g_star = n**2 / (sizes**2).sum()
    n_eff = min(n, p * (1 - p) / variance * (stats.norm.ppf(confidence) / stats.t.ppf(confidence, g_star - 1)) ** 2)
    low = stats.beta.ppf(1 - confidence, p * n_eff, n_eff - p * n_eff + 1)
    return low, stats.beta.ppf(confidence, p * n_eff + 1, n_eff - p * n_eff)


def test_korn_graubard_on_equal_groups_is_the_computation_by_hand():
    # 10 groups of 20, right 20 20 20 19 19 18 18 17 15 14: p = 180 / 200 = .9, group means spread by sd .103
    right = np.concatenate([np.arange(20) < count for count in (20, 20, 20, 19, 19, 18, 18, 17, 15, 14)])
    clusters = np.repeat(np.arange(10), 20)
    found = clustered_proportion(right, clusters, 0.9, 0.95)
    assert (found.low, found.high) == pytest.approx(korn_graubard_by_deletion(right, clusters, 0.95), abs=EXACTLY)


def test_korn_graubard_on_unequal_groups_deletes_each_in_turn():
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(12), [200, 90, 80, 60, 50, 40, 40, 30, 20, 10, 5, 5])
    right = rng.random(len(clusters)) < rng.beta(8.1, 0.9, 12)[clusters]
    found = clustered_proportion(right, clusters, 0.9, 0.95)
    assert (found.low, found.high) == pytest.approx(korn_graubard_by_deletion(right, clusters, 0.95), abs=EXACTLY)


def test_bca_is_scipys_within_monte_carlo_error():
    truth, answer, _, _ = world()
    _, influence = value_and_influence("f1", truth, answer, 4, None)
    found = bca(truth, (answer,), confusion_statistic("f1"), 4, 0.8, 0.95, influence)

    def macro_f1(rows: np.ndarray, axis: int) -> np.ndarray:
        y, p = truth[rows.astype(int)], answer[rows.astype(int)]
        hits, true, said = (np.stack([(x).sum(axis) for x in parts]) for parts in per_label(y, p))
        return (2 * hits / (true + said)).mean(axis=0)

    theirs = stats.bootstrap(
        (np.arange(500.0),), macro_f1, confidence_level=0.90, method="BCa", batch=500, rng=np.random.default_rng(6)
    ).confidence_interval
    # each bound of 10,000 resamples errs by about .033 SE (its quantile and the bias), two of them by .046; three times
    tolerance = 0.14 * np.sqrt((influence**2).sum())
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=tolerance)


def per_label(y: np.ndarray, p: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    return [(y == k) & (p == k) for k in range(4)], [y == k for k in range(4)], [p == k for k in range(4)]
