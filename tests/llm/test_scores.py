"""Stated probabilities and votes as scores."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.llm.replies import score_notes, stated_row, stated_scores, vote_scores
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.pricing.price_list import Usage

NUMBERS = {"a": 0, "b": 1, "c": 2, "d": 3}


def a_reply(said: Any, stop: str = "end_turn") -> Reply:
    text = said if isinstance(said, str) else json.dumps(said)
    return Reply(text, stop, Usage(1, 1), 1.0, "2026-01-01", "s")


def stated(**values: float) -> Reply:
    return a_reply({"probabilities": [{"label": label, "probability": value} for label, value in values.items()]})


CASES = [
    ("every label", stated(a=0.1, b=0.2, c=0.3, d=0.4), [0.1, 0.2, 0.3, 0.4]),
    ("the rest is shared out", stated(a=0.7, b=0.1), [0.7, 0.1, 0.1, 0.1]),
    ("more than 1 is scaled", stated(a=0.9, b=0.3), [0.75, 0.25, 0, 0]),
    ("per cent", stated(a=80, b=10), [0.8, 0.1, 0.05, 0.05]),
    ("less than 1 over every label is scaled", stated(a=0.2, b=0.2, c=0.2, d=0.2), [0.25] * 4),
    ("a mapping in a fence", a_reply('```json\n{"probabilities": {"a": 1}}\n```'), [1, 0, 0, 0]),
    (
        "twice the same label",
        a_reply({"probabilities": 2 * [{"label": "a", "probability": 0.35}]}),
        [0.7, 0.1, 0.1, 0.1],
    ),
]


@pytest.mark.parametrize(("reply", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_stated_probabilities_become_a_row_that_sums_to_1(reply: Reply, expected: list[float]):
    row = stated_row(reply, NUMBERS)
    assert row == pytest.approx(expected)
    assert row.sum() == pytest.approx(1)


UNREAD = [
    a_reply("I think a"),
    a_reply("{broken"),
    a_reply({"probabilities": "a"}),
    a_reply({"probabilities": ["a", 1]}),
    stated(eggs=1.0),
    stated(a=0.0),
    stated(a=-1.0),
    a_reply('{"probabilities": [{"label": "a", "probability": NaN}]}'),
    a_reply('{"probabilities": [{"label": "a", "probability": true}]}'),
    a_reply(stated(a=1.0).text, "max_tokens"),
]


@pytest.mark.parametrize("reply", UNREAD, ids=[reply.text[:20] or "cut" for reply in UNREAD])
def test_what_cannot_be_read_has_no_scores(reply: Reply):
    assert np.isnan(stated_row(reply, NUMBERS)).all()


def test_votes_are_shares_of_the_readable_answers():
    answers = np.array([[0, 1, -1], [0, 2, -1], [1, -1, -1], [0, 2, -1]])
    scores = vote_scores(answers, 4)
    assert scores[0].tolist() == [0.75, 0.25, 0, 0]
    assert scores[1] == pytest.approx([0, 1 / 3, 2 / 3, 0])
    assert np.isnan(scores[2]).all()


def test_ties_over_confidence_and_gaps_are_said():
    scores = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5], [np.nan, np.nan]])
    notes = " | ".join(score_notes(scores, np.array([0, 1, 0, 0]), np.array([0, 1, 0, 0]), "stated probabilities"))
    assert "AUROC, Brier, log loss and ECE are made from stated probabilities" in notes
    assert "1 of 4 rows have no scores" in notes
    assert "33.3% of the rows have more than one likeliest label" in notes
    # sure of (0.9 + 0.9 + 0.5) / 3 = 0.767, right in two of three
    assert "over-confident by 0.100: top scores average 0.767, the label is right in 0.667" in notes
    assert "1 of 3 answers are not the likeliest label" in notes


def test_no_replies_make_no_scores():
    assert stated_scores([], NUMBERS).shape == (0, 4)
