"""Answers that are missing, and confusion counts many at a time as the bootstrap needs them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from pytest_modelcompare.metrics.classification import confusion_matrix, confusion_statistic, value_and_influence

RNG = np.random.default_rng(11)
TRUTH = RNG.integers(0, 4, 150)
ANSWER = np.where(RNG.random(150) < 0.6, TRUTH, RNG.integers(-1, 4, 150))  # -1: no answer

THEIRS = {
    "accuracy": lambda: sk.accuracy_score(TRUTH, ANSWER),
    "balanced_accuracy": lambda: sk.recall_score(TRUTH, ANSWER, labels=range(4), average="macro"),
    "mcc": lambda: sk.matthews_corrcoef(TRUTH, ANSWER),
    "f1": lambda: sk.f1_score(TRUTH, ANSWER, labels=range(4), average="macro"),
    "precision": lambda: sk.precision_score(TRUTH, ANSWER, labels=range(4), average="macro"),
    "recall": lambda: sk.recall_score(TRUTH, ANSWER, labels=range(4), average="macro"),
    "f1_weighted": lambda: sk.f1_score(TRUTH, ANSWER, labels=range(4), average="weighted"),
    "coverage": lambda: np.mean(ANSWER >= 0),
}


@pytest.mark.parametrize("metric", THEIRS)
def test_with_missing_answers_a_metric_equals_scikit_learns(metric: str):
    assert (ANSWER == -1).any()
    value, _ = value_and_influence(metric, TRUTH, ANSWER, 4, None)
    assert value == pytest.approx(THEIRS[metric](), abs=1e-12)


def test_missing_answers_stand_in_the_last_column():
    confusion = confusion_matrix(np.array([0, 0, 1]), np.array([0, -1, -1]), 2)
    assert confusion.tolist() == [[1, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize("metric", THEIRS)
def test_many_confusions_at_once_give_what_each_gives_alone(metric: str):
    many = RNG.multinomial(150, np.full(20, 1 / 20), 7).reshape(7, 4, 5).astype(float)
    statistic = confusion_statistic(metric)
    assert statistic(many) == pytest.approx([statistic(one[None])[0] for one in many], abs=1e-15)


def test_the_delete_one_jackknife_agrees_with_the_influence():
    # theta - theta without row i = influence_i * n / (n - 1) to first order in 1/n
    value, influence = value_and_influence("f1", TRUTH, ANSWER, 4, None)
    kept = np.ones(150, bool)
    kept[7] = False
    without, _ = value_and_influence("f1", TRUTH[kept], ANSWER[kept], 4, None)
    assert value - without == pytest.approx(influence[7], rel=0.1)
    assert abs(influence.sum()) < 1e-10


@pytest.mark.parametrize("metric", ["mcc", "balanced_accuracy", "precision"])
def test_one_answer_for_every_row_has_finite_influence(metric: str):
    _, influence = value_and_influence(metric, TRUTH, np.zeros(150, int), 4, None)
    assert np.isfinite(influence).all()
