"""What once passed on too little: each of these claims must not."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Evidence, Predictions, Published, Verdict

LABELS = ("ham", "spam", "eggs")


def contestant(name: str, truth: np.ndarray, *answers: np.ndarray, clusters: np.ndarray | None = None) -> Evidence:
    predictions = tuple(Predictions(answer) for answer in answers)
    return Evidence(name, "fine_tune", LABELS, truth, clusters, predictions, tuple(range(len(answers))))


def verdict(sentence: str, *sides: Evidence, confidence: float = 0.95) -> Verdict:
    evidence = {side.name: side for side in sides}
    return judge(GateSpec(sentence, (parse(sentence),)), evidence, confidence=confidence)


@pytest.mark.parametrize(("n", "outcome"), [(12, "undecided"), (298, "undecided"), (300, "pass")])
def test_perfect_seeds_need_the_rows_that_a_perfect_model_needs(n: int, outcome: str):
    # ln(.05) / ln(1 - .01) = 298.07
    truth = np.arange(n) % 2
    assert verdict("a.accuracy >= 0.99", contestant("a", truth, truth, truth, truth)).outcome == outcome


def test_a_perfect_label_counts_its_own_rows_not_all():
    truth = np.concatenate([np.ones(10, int), np.zeros(290, int)])
    found = verdict("a.f1[spam] >= 0.95", contestant("a", truth, truth, truth, truth))
    assert found.outcome == "undecided"
    assert "10 rows that agree cannot show this; 59 can" in found.message
    assert "(0.741 to 1.000" in found.message  # .05 ** (1 / 10) = .741


def test_identical_answers_in_few_groups_do_not_match_within_a_thousandth():
    truth, groups = np.arange(12) % 2, np.arange(12) // 2
    a, b = (contestant(name, truth, truth, clusters=groups) for name in "ab")
    assert verdict("a matches b on accuracy within 0.001", a, b).outcome == "undecided"


@pytest.mark.parametrize(
    "sentence", ["a.accuracy / b.accuracy >= 1.5", "a.accuracy * a.accuracy >= b.accuracy", "a.accuracy > b.accuracy"]
)
def test_no_form_of_comparison_beats_a_broken_baseline(sentence: str):
    truth = np.repeat([0, 1], 500)
    broken = truth.copy()
    broken[:600] = -1
    found = verdict(sentence, contestant("a", truth, truth), contestant("b", truth, broken))
    assert found.outcome == "error"
    assert "b answered only 40.0%" in found.message


def paper(n: int | None = None, accuracy: float = 0.92) -> Evidence:
    truth = np.repeat([0, 1], 500)
    published = Published({"accuracy": accuracy}, "a paper", n)
    return Evidence("paper", "published", LABELS, truth, published=published)


def test_arithmetic_takes_no_published_figure_for_free_of_error():
    truth = np.repeat([0, 1], 500)
    found = verdict("a.accuracy >= paper.accuracy * 1.001", contestant("a", truth, truth), paper(50))
    assert found.outcome == "error"
    assert "free of error" in found.message


def test_a_published_figure_is_tested_at_the_gates_own_confidence():
    # .914 on 1,000 rows: SE .00887; (.914 - .90015) / .00887 = 1.56 lies over z(.90) = 1.28 and under z(.95) = 1.64;
    # .911: 1.21 lies under both
    truth = np.repeat([0, 1], 500)

    def right(count: int) -> Evidence:
        return contestant("a", truth, np.where(np.arange(1000) < count, truth, 1 - truth))

    at = {"confidence": 0.90}
    assert verdict("a beats paper on accuracy", right(914), paper(accuracy=0.9001), **at).outcome == "pass"
    assert verdict("a beats paper on accuracy", right(911), paper(accuracy=0.9001), **at).outcome == "undecided"


def test_recall_of_a_label_without_test_rows_is_an_error_not_a_crash():
    truth = np.repeat([0, 1], 50)
    found = verdict("a beats b on recall[eggs]", contestant("a", truth, truth), contestant("b", truth, truth))
    assert found.outcome == "error"
    assert "no test row is labelled eggs" in found.message


def test_any_of_counts_groups_at_its_share_of_the_level():
    # 8 groups of 50: Korn and Graubard's effective rows shrink with the level
    rng = np.random.default_rng(5)
    truth, groups = np.arange(400) % 2, np.arange(400) // 50
    right = rng.random(400) < np.repeat(rng.uniform(0.85, 0.99, 8), 50)
    side = contestant("a", truth, np.where(right, truth, 1 - truth), clusters=groups)
    members = 10
    alone = [
        t
        for t in np.arange(0.6, 0.95, 0.002)
        if verdict(f"a.accuracy >= {t}", side, confidence=1 - 0.05 / members).outcome == "pass"
    ]
    shared = []
    for t in np.arange(0.6, 0.95, 0.002):
        claims = (parse(f"a.accuracy >= {t}"),) * members
        if judge(GateSpec("x", claims, any_of=True), {"a": side}).outcome == "pass":
            shared.append(t)
    assert max(shared) == pytest.approx(max(alone))
