"""Every metric equals scikit-learn's, and its influence is its derivative by the weight of a row."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Evidence, Predictions

LABELS = ("ham", "spam", "eggs", "toast")
RNG = np.random.default_rng(7)
TRUTH = RNG.integers(0, 4, 200)
SCORES = RNG.dirichlet(np.ones(4), 200) * 0.6 + 0.4 * np.eye(4)[TRUTH] * RNG.random((200, 1))
SCORES = np.round(SCORES / SCORES.sum(axis=1, keepdims=True), 2)  # ties
SCORES /= SCORES.sum(axis=1, keepdims=True)
ANSWER = SCORES.argmax(axis=1)


def evidence(answer: np.ndarray = ANSWER, scores: np.ndarray | None = SCORES, truth: np.ndarray = TRUTH) -> Evidence:
    return Evidence("small", "tfidf", LABELS, truth, predictions=(Predictions(answer, scores),), seeds=(0,))


BY_LABEL = {
    "accuracy": lambda w=None: sk.accuracy_score(TRUTH, ANSWER, sample_weight=w),
    "balanced_accuracy": lambda w=None: sk.balanced_accuracy_score(TRUTH, ANSWER, sample_weight=w),
    "mcc": lambda w=None: sk.matthews_corrcoef(TRUTH, ANSWER, sample_weight=w),
    "f1": lambda w=None: sk.f1_score(TRUTH, ANSWER, average="macro", sample_weight=w),
    "precision": lambda w=None: sk.precision_score(TRUTH, ANSWER, average="macro", sample_weight=w),
    "recall": lambda w=None: sk.recall_score(TRUTH, ANSWER, average="macro", sample_weight=w),
    "f1_weighted": lambda w=None: sk.f1_score(TRUTH, ANSWER, average="weighted", sample_weight=w),
    "auroc": lambda w=None: np.mean([sk.roc_auc_score(k == TRUTH, SCORES[:, k], sample_weight=w) for k in range(4)]),
    "average_precision": lambda w=None: np.mean(
        [sk.average_precision_score(k == TRUTH, SCORES[:, k], sample_weight=w) for k in range(4)]
    ),
    "brier": lambda w=None: np.average(((SCORES - np.eye(4)[TRUTH]) ** 2).sum(axis=1), weights=w),
    "log_loss": lambda w=None: sk.log_loss(TRUTH, np.clip(SCORES, 1e-15, 1), sample_weight=w, labels=range(4)),
}


@pytest.mark.parametrize("metric", BY_LABEL)
def test_a_metric_equals_scikit_learns(metric: str):
    if metric == "log_loss":
        expected = -np.log(np.clip(SCORES[np.arange(200), TRUTH], 1e-15, 1)).mean()
    else:
        expected = BY_LABEL[metric]()
    assert estimate(metric, evidence()).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", sorted(BY_LABEL.keys() - {"log_loss"}))
def test_influence_is_the_derivative_by_a_rows_weight(metric: str):
    influence = estimate(metric, evidence()).influence[0]
    for row in (0, 17, 123):
        step = np.full(200, 1.0)
        step[row] += 1e-4
        up = BY_LABEL[metric](step)
        step[row] -= 2e-4
        assert influence[row] == pytest.approx((up - BY_LABEL[metric](step)) / 2e-4, abs=2e-6)


@pytest.mark.parametrize("metric", [name for name, spec in METRICS.items() if spec.per_label and name[0] in "fpr"])
def test_one_label_equals_scikit_learns(metric: str):
    expected = getattr(sk, f"{metric}_score")(TRUTH, ANSWER, average=None)[2]
    assert estimate(metric, evidence(), label="eggs").value == pytest.approx(expected, abs=1e-12)


def test_no_answer_is_wrong_and_not_covered():
    answer = ANSWER.copy()
    answer[:50] = -1
    expected = (ANSWER == TRUTH)[50:].sum() / 200
    assert estimate("accuracy", evidence(answer)).value == pytest.approx(expected)
    assert estimate("coverage", evidence(answer)).value == pytest.approx(0.75)


def test_a_label_that_nobody_has_or_answers_counts_as_zero():
    truth, answer = np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1])
    assert estimate("f1", evidence(answer, None, truth)).value == pytest.approx(2 / 4)


def test_rows_without_scores_are_scored_uniform():
    scores = SCORES.copy()
    scores[0] = np.nan
    uniform = SCORES.copy()
    uniform[0] = 0.25
    assert estimate("brier", evidence(scores=scores)).value == estimate("brier", evidence(scores=uniform)).value


def test_without_scores_auroc_is_refused_with_what_to_do():
    with pytest.raises(GateError, match="small gives no scores, which auroc needs"):
        estimate("auroc", evidence(scores=None))


def test_a_perfect_ranking_has_area_one():
    scores = np.eye(4)[TRUTH]
    assert estimate("auroc", evidence(scores=scores)).value == 1.0


def test_the_table_holds_what_a_contestant_can_carry_and_nothing_else():
    figures = table_figures(evidence())
    assert {"accuracy", "f1", "auroc", "brier"} <= figures.keys()
    assert not {"latency_p50_ms", "cost_per_1k", "size_mb"} & figures.keys()
    accuracy = figures["accuracy"]
    assert accuracy.low < accuracy.value < accuracy.high


def test_seeds_are_averaged_and_kept_apart():
    both = Evidence(
        "small", "fine_tune", LABELS, TRUTH, predictions=(Predictions(ANSWER), Predictions(TRUTH)), seeds=(0, 1)
    )
    found = estimate("accuracy", both)
    assert found.seed_values.tolist() == [np.mean(ANSWER == TRUTH), 1.0]
    assert found.value == pytest.approx(found.seed_values.mean())
    assert found.influence.shape == (2, 200)
