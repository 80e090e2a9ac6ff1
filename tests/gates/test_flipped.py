"""Rows that one side alone got right, and parts of the rows with another verdict."""

from __future__ import annotations

import numpy as np

from pytest_modelcompare.gates.flipped import flips, sides_of
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.parts import differing_parts
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.records import Evidence, Outcomes, Predictions

TRUTH = np.array([0, 0, 1, 1])


def side(name: str, answers: list[int], sure: list[float] | None = None, *more: list[int]) -> Evidence:
    scores = None
    if sure is not None:
        scores = np.stack([[p, 1 - p] if answer == 0 else [1 - p, p] for answer, p in zip(answers, sure, strict=True)])
    predictions = (Predictions(np.array(answers), scores), *(Predictions(np.array(one)) for one in more))
    return Evidence(name, "tfidf", ("a", "b"), TRUTH, predictions=predictions)


def test_the_wrong_sides_most_confident_rows_come_first():
    left = side("small", [0, 1, 0, 1], [0.9, 0.7, 0.95, 0.8])  # wrong on rows 1 and 2
    right = side("llm", [1, 0, 1, 1])  # wrong on row 0, no scores
    found = flips(left, right)
    assert [(flip.row, flip.left_is_right, flip.confidence) for flip in found] == [
        (2, False, 0.95),
        (0, True, 0.9),  # the LLM gives no scores: the small model's own
        (1, False, 0.7),
    ]
    assert [flip.confidence_of_left for flip in found] == [True, True, True]


def test_of_several_seeds_the_majority_counts():
    left = side("small", [0, 0, 1, 0], None, [0, 0, 1, 1], [0, 0, 1, 1])
    assert flips(left, side("llm", [0, 0, 1, -1]))[0].row == 3


def test_only_claims_about_two_sides_rows_have_flips():
    assert sides_of(parse("a beats b on f1")) == ("a", "b")
    assert sides_of(parse("a.accuracy >= b.accuracy + 0.01")) == ("a", "b")
    assert sides_of(parse("a.accuracy >= 0.9")) is None
    assert sides_of(parse("a.size_mb <= b.size_mb")) is None


def world(right_in_first: int) -> tuple[dict[str, Evidence], dict[str, np.ndarray]]:
    """1,000 rows, 100 of them `first`; the model is right on 98 % of the others."""
    truth = np.zeros(1000, int)
    answer = truth.copy()
    answer[right_in_first:100] = 1
    answer[982:] = 1
    masks = {"first": np.arange(1000) < 100, "rest": np.arange(1000) >= 100}
    return {"m": Evidence("m", "tfidf", ("a", "b"), truth, predictions=(Predictions(answer),))}, masks


def test_a_part_that_fails_although_the_gate_holds_is_named():
    # .98 of 900 and 70 of 100: overall .952; P(at most 70 of 100 | .9) is far below .05 / 2
    evidence, masks = world(70)
    question = question_of(parse("m.accuracy >= 0.9"))
    (found,) = differing_parts(question, evidence, Outcomes.PASS, masks, 0.95)
    assert (found.where, found.outcome, found.n, found.value) == ("first", "fail", 100, 0.7)
    assert found.p_value < 1e-6


def test_the_number_of_parts_is_paid_for():
    # 84 of 100 against .9: p = .04 alone, .08 of two parts
    evidence, masks = world(84)
    question = question_of(parse("m.accuracy >= 0.9"))
    assert differing_parts(question, evidence, Outcomes.PASS, {"first": masks["first"]}, 0.95)
    assert not differing_parts(question, evidence, Outcomes.PASS, masks, 0.95)


def test_macro_metrics_are_looked_at_by_their_influence():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2000)
    first = np.arange(2000) < 500
    answer = np.where(rng.random(2000) < np.where(first, 0.6, 0.97), truth, 1 - truth)
    evidence = {"m": Evidence("m", "tfidf", ("a", "b"), truth, predictions=(Predictions(answer),))}
    found = differing_parts(
        question_of(parse("m.f1 >= 0.8")), evidence, Outcomes.PASS, {"first": first, "rest": ~first}, 0.95
    )
    assert [part.where for part in found] == ["first"]
