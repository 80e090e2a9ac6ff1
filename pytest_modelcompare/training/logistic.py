"""Multinomial logistic regression."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import DataError
from pytest_modelcompare.inference.classifiers import Linear


def fit_logistic(
    rows: Any, labels: NDArray[np.int64], n_labels: int, c: float, *, iterations: int = 200, tolerance: float = 1e-4
) -> tuple[Linear, tuple[str, ...]]:
    """L2-penalised maximum likelihood by L-BFGS (scikit-learn).

    Args:
        rows: shape (n, width), dense or sparse.
        labels: shape (n,), numbers below `n_labels`; labels that do not occur get no score.
        c: inverse strength of the penalty.

    Returns:
        The classifier, and notes for the record (whether it did not converge).

    Raises:
        DataError: fewer than two labels occur.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    known = np.unique(labels)
    if len(known) < 2:
        raise DataError("the training rows hold one label only", fix="a classifier needs at least two")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ConvergenceWarning)
        model = LogisticRegression(C=c, max_iter=iterations, tol=tolerance).fit(rows, labels)
    notes = (
        [f"logistic regression stopped after {iterations} iterations, not converged"]
        if any(issubclass(warning.category, ConvergenceWarning) for warning in said)
        else []
    )
    coefficients = np.zeros((n_labels, rows.shape[1]), np.float32)
    intercepts = np.full(n_labels, -np.inf, np.float32)
    if len(known) == 2:  # scikit-learn fits one row for two labels: the logit of the second
        coefficients[known[1]], intercepts[known] = model.coef_[0], [0.0, model.intercept_[0]]
    else:
        coefficients[known], intercepts[known] = model.coef_, model.intercept_
    return Linear(coefficients, intercepts), tuple(notes)
