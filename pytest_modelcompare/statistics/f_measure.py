"""F1 of one class against a number: exact."""

from __future__ import annotations

from dataclasses import replace

from pytest_modelcompare.records import Inference
from pytest_modelcompare.statistics.proportion import exact_proportion


def exact_f1(tp: int, fp: int, fn: int, threshold: float, confidence: float) -> Inference:
    """Test F1 exactly, through the share of true positives among the rows that matter.

    F1 = 2J / (1 + J) with J = TP / (TP + FP + FN), and given those rows TP is
    binomial: `f1 >= f` is `J >= f / (2 - f)`.

    Source: Lam, Gopal and Qian (2023), https://arxiv.org/abs/2309.14621
    """
    jaccard = exact_proportion(tp, tp + fp + fn, threshold / (2 - threshold), confidence)
    return replace(
        jaccard,
        value=f1_of_jaccard(jaccard.value) if jaccard.n else 0.0,
        low=f1_of_jaccard(jaccard.low),
        high=f1_of_jaccard(jaccard.high),
        method="exact binomial on the rows of the class",
    )


def f1_of_jaccard(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
