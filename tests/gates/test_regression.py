"""Does not regress: red only where a loss is shown, green within X only where less than X is."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Evidence, Footprint, Predictions, Verdict
from pytest_modelcompare.records.accepted import AcceptedEntry, AcceptedFigure, Baseline

N = 1000
TRUTH = np.arange(N) % 2


def contestant(*right: int, start: int = 0) -> Evidence:
    """Right on `right` rows from `start` on; one seed for each number."""
    predictions = []
    for count in right:
        answer = 1 - TRUTH
        answer[start : start + count] = TRUTH[start : start + count]
        predictions.append(Predictions(answer))
    seeds = tuple(range(len(right)))
    return Evidence("m", "tfidf", ("ham", "spam"), TRUTH, predictions=tuple(predictions), seeds=seeds)


def figure(value: float, se: float = 0.01, n: int = N, date: str = "2026-01-01") -> AcceptedFigure:
    return AcceptedFigure(date, value, se, n, "rows")


def judged(
    sentence: str, now: Evidence, then: Evidence | None, value: float, *, identical: bool = False, times: int = 1
) -> Verdict:
    entry = AcceptedEntry(figure(0.95, date="2025-06-01"), figure(value), times)
    baseline = Baseline(entry, now, then, contestant(950) if then and "accuracy" in sentence else then, identical)
    claim = parse(sentence)
    key = sentence.split(" does")[0] + "." + sentence.split(" on ")[1].split(" within")[0]
    return judge(GateSpec(sentence, (claim,)), {"m": now}, baselines={key: baseline})


PLAIN = "m does not regress on accuracy"
WITHIN = "m does not regress on accuracy within 0.02"


def test_a_loss_that_is_shown_fails():
    # 30 rows lost, none won: Tango's upper bound lies below 0
    found = judged(PLAIN, contestant(900), contestant(930), 0.93)
    assert found.outcome == "fail"
    assert "0.900, accepted 0.930 on 2026-01-01: -0.030 (-0.0" in found.message


def test_a_loss_that_is_not_shown_passes_without_a_margin_only():
    now, then = contestant(900), contestant(902)  # two rows lost: p = .16 and more
    assert judged(PLAIN, now, then, 0.902).outcome == "pass"
    now, then = contestant(900), contestant(908, start=2)  # 10 rows lost, 2 won: -.008
    found = judged(WITHIN.replace("0.02", "0.01"), now, then, 0.908)
    assert found.outcome == "undecided"
    assert "too few rows to show that less is lost" in found.message


def test_less_than_the_margin_is_shown_to_be_lost():
    assert judged(WITHIN, contestant(900), contestant(902), 0.902).outcome == "pass"
    assert judged(WITHIN, contestant(850), contestant(930), 0.93).outcome == "fail"


def test_identical_answers_pass_without_a_test():
    found = judged(WITHIN, contestant(900), contestant(900), 0.9, identical=True)
    assert found.outcome == "pass"
    assert found.p_pass is None
    assert "identical answers on identical rows" in found.message


def test_other_rows_are_compared_unpaired_and_it_is_said():
    # se of 900/1000 is .0095, with .01 of the record .0138: -.03 lies 2.2 of them below, -.015 1.1
    found = judged(PLAIN, contestant(900), None, 0.93)
    assert (found.outcome, found.unpaired) == ("fail", True)
    assert "the test rows changed since" in found.message
    assert judged(PLAIN, contestant(900), None, 0.915).outcome == "pass"
    assert found.p_fail == pytest.approx(0.0149, abs=5e-4)  # Φ(-.03 / sqrt(.9 * .1 / 999 + .01²))


def test_the_drift_since_the_first_baseline_is_said_once_it_moved():
    once = judged(PLAIN, contestant(900), contestant(902), 0.902)
    assert "first baseline" not in once.message
    again = judged(PLAIN, contestant(900), contestant(902), 0.902, times=2)
    assert "since the first baseline of 2025-06-01: -0.050 (-0.06" in again.message
    assert again.against is not None
    assert again.against.drift == pytest.approx(-0.05)


def test_what_is_better_when_lower_regresses_upwards():
    truth = np.arange(N) % 2
    sure, unsure = (
        Evidence("m", "tfidf", ("a", "b"), truth, predictions=(Predictions(truth, scores(truth, p)),), seeds=(0,))
        for p in (0.9, 0.7)
    )
    assert judged("m does not regress on brier", unsure, sure, 0.02).outcome == "fail"
    assert judged("m does not regress on brier", sure, unsure, 0.18).outcome == "pass"


def scores(truth: np.ndarray, p: float) -> np.ndarray:
    jitter = np.random.default_rng(0).uniform(-0.05, 0.05, len(truth))
    found = np.empty((len(truth), 2))
    found[np.arange(len(truth)), truth] = p + jitter
    found[np.arange(len(truth)), 1 - truth] = 1 - p - jitter
    return found


def test_a_size_is_exact():
    entry = AcceptedEntry(figure(10.0, 0, 0), figure(10.0, 0, 0))
    for size, outcome in ((10.0, "pass"), (9.0, "pass"), (10.1, "fail")):
        now = Evidence("m", "tfidf", ("a", "b"), TRUTH, footprint=Footprint(size_mb=size))
        sentence = "m does not regress on size_mb"
        baseline = Baseline(entry, now, None, None)
        found = judge(GateSpec(sentence, (parse(sentence),)), {"m": now}, baselines={"m.size_mb": baseline})
        assert found.outcome == outcome
    assert not found.unpaired


def test_nothing_accepted_is_an_error_that_says_how():
    found = judge(GateSpec(PLAIN, (parse(PLAIN),)), {"m": contestant(900)})
    assert found.outcome == "error"
    assert "--modelcompare-accept" in found.message


def test_seeds_then_and_now_need_not_be_as_many():
    now, then = contestant(900, 904, 896, 902), contestant(935, 930, 925)
    assert judged(PLAIN, now, then, 0.93).outcome == "fail"
