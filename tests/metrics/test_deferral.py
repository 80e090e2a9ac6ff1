"""When a cascade asks its other contestant, worked by hand."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from pytest_modelcompare.metrics.deferral import defer_below

# Least sure first, small is wrong wrong right right wrong right, other is right right right wrong right right.
CONFIDENCE = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.9])
SMALL, OTHER = np.array([1, 1, 0, 0, 1, 0]), np.array([0, 0, 0, 1, 0, 0])
TRUTH = np.zeros(6, int)


def test_the_threshold_lies_where_asking_further_gains_nothing():
    # asking the k least sure anew gains 0 1 2 2 1 2 2: two rows are enough, and the third least sure is kept
    found = defer_below(TRUTH, SMALL, CONFIDENCE, OTHER)
    assert (found.threshold, found.deferred_share) == (0.5, 2 / 6)
    assert (found.small_accuracy, found.other_accuracy, found.cascade_accuracy) == (3 / 6, 5 / 6, 5 / 6)


def test_the_threshold_defers_the_rows_it_says_in_any_order():
    order = np.random.default_rng(6).permutation(6)
    found = defer_below(TRUTH, SMALL[order], CONFIDENCE[order], OTHER[order])
    cascade = np.where(CONFIDENCE[order] < found.threshold, OTHER[order], SMALL[order])
    assert found == defer_below(TRUTH, SMALL, CONFIDENCE, OTHER)
    assert (cascade == 0).mean() == found.cascade_accuracy


def test_no_threshold_does_better_than_the_one_found():
    rng = np.random.default_rng(7)
    truth, small, other = rng.integers(0, 2, (3, 60))
    confidence = np.round(rng.random(60), 1)  # ties
    accuracies = [
        (np.where(confidence < threshold, other, small) == truth).mean() for threshold in [*np.unique(confidence), inf]
    ]
    assert defer_below(truth, small, confidence, other).cascade_accuracy == pytest.approx(max(accuracies))


def test_rows_of_one_confidence_are_deferred_together():
    # only the first row gains, but the second, as unsure, would lose as much: nobody is asked
    found = defer_below(np.zeros(3, int), np.array([1, 0, 0]), np.array([0.5, 0.5, 0.9]), np.array([0, 1, 0]))
    assert (found.threshold, found.deferred_share) == (0.0, 0.0)


def test_an_opponent_that_is_always_better_is_always_asked():
    found = defer_below(np.zeros(2, int), np.array([1, 1]), np.array([0.5, 1.0]), np.array([0, 0]))
    assert (found.threshold, found.deferred_share, found.cascade_accuracy) == (inf, 1.0, 1.0)


def test_no_answer_is_a_wrong_answer():
    # small has no answer to row 0, other none to rows 0 and 1: asking helps nobody, whatever the true label is
    truth = np.array([-1, 0])
    found = defer_below(truth, np.array([-1, 0]), np.array([0.2, 0.8]), np.array([-1, -1]))
    assert (found.small_accuracy, found.other_accuracy, found.cascade_accuracy) == (0.5, 0.0, 0.5)
    answered = defer_below(np.array([1, 0]), np.array([-1, 0]), np.array([0.2, 0.8]), np.array([1, -1]))
    assert (answered.small_accuracy, answered.cascade_accuracy, answered.threshold) == (0.5, 1.0, 0.8)


@pytest.mark.parametrize("confidence", [[0.5], [0.5, 1.5], [0.5, np.nan]])
def test_confidences_that_are_none_are_refused(confidence: list[float]):
    with pytest.raises(ValueError, match=r"confidence|rows that both"):
        defer_below(np.zeros(2, int), np.zeros(2, int), np.array(confidence), np.zeros(2, int))
