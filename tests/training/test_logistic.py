from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.inference.classifiers import softmax
from pytest_modelcompare.training.logistic import fit_logistic

ROWS = np.array([[0.0, 1.0], [0.1, 0.9], [1.0, 0.0], [0.9, 0.2], [0.5, 0.4]])


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 1], [0, 0, 1, 1, 2]])
def test_scores_are_scikit_learns(labels):
    linear_model = pytest.importorskip("sklearn.linear_model")
    linear, _ = fit_logistic(ROWS, np.array(labels), max(labels) + 1, 10.0)
    theirs = linear_model.LogisticRegression(C=10.0).fit(ROWS, labels).predict_proba(ROWS)
    np.testing.assert_allclose(softmax(linear.logits(ROWS)), theirs, atol=1e-5)


def test_a_label_that_training_never_saw_is_never_predicted():
    linear, _ = fit_logistic(ROWS, np.array([0, 0, 2, 2, 2]), 4, 10.0)
    scores = softmax(linear.logits(ROWS))
    assert np.all(scores[:, [1, 3]] == 0)
    np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_one_label_is_an_error():
    with pytest.raises(DataError, match="one label only"):
        fit_logistic(ROWS, np.zeros(5, np.int64), 2, 1.0)


def test_stopping_early_is_noted():
    _, notes = fit_logistic(ROWS, np.array([0, 0, 1, 1, 2]), 3, 1e6, iterations=2)
    assert notes == ("logistic regression stopped after 2 iterations, not converged",)
