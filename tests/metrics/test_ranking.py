"""Rankings and calibration: what the score vectors of awkward test sets give."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics import ranking
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.records import Evidence, Predictions

LABELS = ("ham", "spam", "eggs")


def scored(truth: list[int], scores: np.ndarray) -> Evidence:
    answers = Predictions(scores.argmax(axis=1), scores)
    return Evidence("small", "tfidf", LABELS, np.array(truth), predictions=(answers,), seeds=(0,))


@pytest.mark.parametrize(
    ("metric", "theirs"), [("auroc", roc_auc_score), ("average_precision", average_precision_score)]
)
def test_one_labels_ranking_equals_scikit_learns(metric: str, theirs):
    rng = np.random.default_rng(3)
    truth, scores = rng.integers(0, 3, 90), np.round(rng.dirichlet(np.ones(3), 90), 1)  # ties
    found = estimate(metric, scored(list(truth), scores), label="spam")
    assert found.value == pytest.approx(theirs(truth == 1, scores[:, 1]), abs=1e-12)


def test_a_label_without_rows_has_no_auroc_and_that_is_an_error():
    with pytest.raises(GateError, match="do not hold rows of `eggs`"):
        estimate("auroc", scored([0, 1], np.eye(3)[[0, 1]]), label="eggs")


@pytest.mark.filterwarnings("error")
def test_rows_of_one_label_only_rank_nothing():
    with pytest.raises(GateError, match="any label beside rows of others"):
        estimate("auroc", scored([0, 0], np.eye(3)[[0, 1]]))


def test_a_label_without_rows_does_not_count_in_the_macro_mean():
    # ham is ranked above spam in every row; eggs occurs nowhere
    assert estimate("auroc", scored([0, 1], np.eye(3)[[0, 1]])).value == 1.0


def test_log_loss_is_clipped_so_that_one_sure_mistake_stays_finite():
    # -ln(1e-15) for the first row, 0 for the second
    rows = ranking.log_loss_rows(np.array([0, 1]), np.eye(3)[[1, 1]])
    assert rows == pytest.approx([15 * np.log(10), 0.0])


def test_influence_on_log_loss_is_its_rows_distance_from_the_mean():
    evidence = scored([0, 1], np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]))
    # rows lose ln 2 and 0, their mean is ln 2 / 2; each counts half
    assert estimate("log_loss", evidence).influence[0] == pytest.approx([np.log(2) / 4, -np.log(2) / 4])


def test_ece_weighs_each_bins_gap_by_its_rows():
    # confidence .8 in four rows of which three are right, .6 in two of which none is
    scores = np.array([[0.8, 0.2, 0.0]] * 4 + [[0.6, 0.4, 0.0]] * 2)
    found = ranking.expected_calibration_error(np.array([0, 0, 0, 1, 1, 1]), scores)
    assert found == pytest.approx((4 * 0.05 + 2 * 0.6) / 6)


def test_ece_does_not_depend_on_the_order_of_rows_of_equal_confidence():
    rng = np.random.default_rng(5)
    scores, truth = np.round(rng.dirichlet(np.ones(3), 60), 1), rng.integers(0, 3, 60)
    order = rng.permutation(60)
    assert ranking.expected_calibration_error(truth[order], scores[order]) == pytest.approx(
        ranking.expected_calibration_error(truth, scores), abs=1e-12
    )
