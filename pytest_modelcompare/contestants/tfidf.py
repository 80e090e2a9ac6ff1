"""`tfidf: {}`: weighted n-grams and a logistic regression."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from pytest_modelcompare.contestants.base import Settings


class TfidfSettings(Settings):
    """TF-IDF of word n-grams and a logistic regression. No weights, no GPU."""

    main: ClassVar[str] = ""
    """The method's value is always `{}`."""

    ngrams: list[int] = Field(default=[1, 2], min_length=2, max_length=2)
    """The shortest and the longest run of words that counts as a feature."""

    C: float = Field(default=30.0, gt=0)
    """Inverse strength of the L2 penalty, as in scikit-learn's LogisticRegression."""
