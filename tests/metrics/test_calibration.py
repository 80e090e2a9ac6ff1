"""Calibration: worlds whose true error is known."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy.stats import binomtest

from pytest_modelcompare.metrics.calibration import Calibration, calibration, reliability
from pytest_modelcompare.metrics.ranking import expected_calibration_error


def two_labels(confidence: np.ndarray) -> np.ndarray:
    """Scores of shape (n, 2) whose top label is 0."""
    return np.stack([confidence, 1 - confidence], axis=1)


def world(rng: np.random.Generator, n: int, surer_than_right: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Confidence uniform over .6 to 1; each row right with that probability less `surer_than_right`."""
    confidence = rng.uniform(0.6, 1.0, n)
    wrong = rng.random(n) >= confidence - surer_than_right
    return wrong.astype(int), two_labels(confidence)


def test_a_calibrated_model_has_a_plug_in_error_and_no_debiased_one():
    # true error 0: 33 rows a bin, right with .8 on average, leave sqrt(2/pi x .15/33) = .053 in each bin
    rng = np.random.default_rng(1)
    found = [calibration(*world(rng, 500), seed=run) for run in range(200)]
    plug_in, debiased = (np.array([getattr(one, name) for one in found]) for name in ("ece", "debiased_squared"))
    assert 0.0264 < plug_in.mean() < 0.0517 + 3 * plug_in.std() / sqrt(200)
    assert abs(debiased.mean()) < 3 * debiased.std() / sqrt(200)
    assert (debiased < 0).mean() > 0.4
    # the noise alone is predicted from the scores: the plug-in error is nothing but it
    assert np.mean([one.ece_if_calibrated for one in found]) == pytest.approx(plug_in.mean(), abs=0.002)


def test_a_model_surer_than_right_is_found():
    # right with .1 less than it claims, in every bin: the l2 error and the over-confidence are .1
    found = calibration(*world(np.random.default_rng(2), 20_000, surer_than_right=0.1))
    assert found.debiased == pytest.approx(0.1, abs=0.01)
    assert found.overconfidence == pytest.approx(0.1, abs=0.01)
    assert found.ece > 5 * found.ece_if_calibrated


def test_a_model_less_sure_than_right_has_a_negative_over_confidence():
    assert calibration(np.zeros(10, int), two_labels(np.full(10, 0.7))).overconfidence == pytest.approx(-0.3)


def test_the_plug_in_error_is_the_metric_ece():
    truth, scores = world(np.random.default_rng(3), 400)
    scores = two_labels(np.round(scores[:, 0], 2))  # ties, some of them on the edges of bins
    assert calibration(truth, scores).ece == pytest.approx(expected_calibration_error(truth, scores), abs=1e-12)


def test_each_bins_noise_comes_off_its_squared_gap():
    # .8 in four rows, three right: .05² - .75 x .25 / 3; .6 in two rows, none right: .6² - 0
    scores = two_labels(np.array([0.8] * 4 + [0.6] * 2))
    found = calibration(np.array([0, 0, 0, 1, 1, 1]), scores)
    assert found.debiased_squared == pytest.approx((4 * (0.0025 - 0.0625) + 2 * 0.36) / 6)


def test_a_bin_of_one_row_shows_no_noise_and_counts_nothing():
    assert calibration(np.array([0, 1]), two_labels(np.array([0.6, 0.9]))).debiased_squared == 0.0


def test_a_negative_estimate_shows_zero_and_keeps_its_number():
    found = Calibration(n=500, ece=0.03, ece_if_calibrated=0.04, debiased_squared=-0.0004, overconfidence=0.0)
    assert found.debiased == 0.0
    assert found.signed_root == pytest.approx(-0.02)


def test_redraws_are_the_same_each_time():
    truth, scores = world(np.random.default_rng(4), 100)
    assert calibration(truth, scores) == calibration(truth, scores)


def test_redraws_in_parts_give_the_same_mean(monkeypatch: pytest.MonkeyPatch):
    truth, scores = world(np.random.default_rng(4), 100)
    whole = calibration(truth, scores).ece_if_calibrated
    monkeypatch.setattr("pytest_modelcompare.metrics.calibration.FLOATS_AT_ONCE", 700)
    assert calibration(truth, scores).ece_if_calibrated == pytest.approx(whole, abs=1e-12)


def test_fifteen_bins_hold_as_many_rows_each():
    truth, scores = world(np.random.default_rng(5), 300)
    bins = reliability(truth, scores)
    assert [one.n for one in bins] == [20] * 15
    assert [one.confidence for one in bins] == sorted(one.confidence for one in bins)


def test_equal_confidences_stand_in_one_bin():
    assert [one.n for one in reliability(np.zeros(90, int), two_labels(np.repeat([0.6, 0.9], [30, 60])))] == [30, 60]


def test_a_bins_bounds_are_a_ninety_percent_exact_interval():
    truth = np.array([0] * 17 + [1] * 3)
    (found,) = reliability(truth, two_labels(np.full(20, 0.9)))
    theirs = binomtest(17, 20).proportion_ci(0.90, "exact")
    assert (found.confidence, found.accuracy) == pytest.approx((0.9, 0.85))
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("n", [0, 2])
def test_labels_and_scores_of_different_length_are_refused(n: int):
    with pytest.raises(ValueError, match="as many, and some"):
        calibration(np.zeros(n, int), two_labels(np.full(0 if n == 0 else 3, 0.5)))


def test_rows_without_scores_are_refused():
    with pytest.raises(ValueError, match="fill them first"):
        reliability(np.zeros(2, int), np.array([[0.5, 0.5], [np.nan, np.nan]]))
