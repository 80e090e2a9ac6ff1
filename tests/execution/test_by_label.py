"""What a report keeps of a contestant's answers."""

from __future__ import annotations

import numpy as np

from pytest_modelcompare.execution.by_label import behind_the_figures, spread
from pytest_modelcompare.records import Evidence, Predictions


def answers(*labels: int) -> Predictions:
    return Predictions(np.array(labels))


def evidence(*seeds: Predictions) -> Evidence:
    return Evidence("a", "tfidf", ("x", "y"), np.array([0, 0, 0, 1]), predictions=seeds)


def test_figures_by_label_are_means_over_the_seeds():
    # x: seed one finds 2 of 3 and says it twice; seed two finds all and says it four times
    found = behind_the_figures(evidence(answers(0, 0, 1, 1), answers(0, 0, 0, 0)))["per_label"]
    assert found["x"] == {"f1": round((4 / 5 + 6 / 7) / 2, 4), "precision": 0.875, "recall": 0.8333, "n": 3}
    assert found["y"]["recall"] == 0.5


def test_confusions_are_counted_over_the_seeds_with_no_answer_as_minus_one():
    found = behind_the_figures(evidence(answers(0, 0, 1, -1), answers(0, 0, 1, 1)))["confusion"]
    assert found == [[0, 0, 4], [0, 1, 2], [1, 1, 1], [1, -1, 1]]


def test_what_has_no_rows_has_none_of_it():
    assert behind_the_figures(Evidence("p", "published", ("x",), np.array([0]))) == {"latency_ms": []}


def test_many_times_are_kept_as_their_quantiles_ends_included():
    times = np.random.default_rng(0).permutation(np.arange(1.0, 4001.0))
    found = spread(times)
    assert len(found) == 400
    assert (found[0], found[-1]) == (1.0, 4000.0)
    assert found == sorted(found)
    assert spread(np.array([3.0, 1.0, 2.0])) == [1.0, 2.0, 3.0]


def test_a_report_of_77_labels_stays_small():
    rng = np.random.default_rng(0)
    truth = rng.integers(77, size=10_000)
    guess = Predictions(rng.integers(77, size=10_000))  # the worst: every pair occurs
    found = behind_the_figures(Evidence("a", "tfidf", tuple(map(str, range(77))), truth, predictions=(guess,)))
    assert len(found["confusion"]) == 3_000
    assert len(str(found)) < 50_000
