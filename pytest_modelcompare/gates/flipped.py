"""The rows that one side of a gate got right and the other wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.gates.claims import Beats, Claim, Comparison, Matches
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.records import NO_ANSWER, Evidence


@dataclass(frozen=True, slots=True)
class Flip:
    """One test row on which the sides disagree about being right."""

    row: int
    left_is_right: bool
    left_answer: int
    """Label number of the answer, of several seeds the most frequent one; -1 for none."""

    right_answer: int
    confidence: float | None
    """The highest score that the side in the wrong gave, else the other's; None where neither has scores."""

    confidence_of_left: bool


def sides_of(claim: Claim) -> tuple[str, str] | None:
    """The two contestants that a claim compares row by row, as the sentence names them; None where it does not."""
    if isinstance(claim, Beats | Matches):
        names = (claim.a, claim.b)
        metric = claim.measure.name
    elif isinstance(claim, Comparison) and (question := question_of(claim)).is_difference:
        names = (question.metrics[0].contestant, question.metrics[1].contestant)
        metric = question.metrics[0].name
    else:
        return None
    of_rows = metric in METRICS and METRICS[metric].needs in (Need.ROWS, Need.SCORES)
    return names if of_rows else None


def flips(left: Evidence, right: Evidence) -> list[Flip]:
    """Rows where one side alone is right, where the wrong one was most confident first.

    Of several seeds the majority counts.
    """
    if not left.predictions or not right.predictions:
        return []
    answers = [majority(side, len(left.labels)) for side in (left, right)]
    left_right, right_right = (answer == left.truth for answer in answers)
    sure = [top_scores(side) for side in (left, right)]
    found = []
    for row in np.flatnonzero(left_right != right_right):
        wrong, other = (1, 0) if left_right[row] else (0, 1)
        sure_side = wrong if sure[wrong] is not None else other
        known = sure[sure_side]
        confidence = None if known is None or not np.isfinite(known[row]) else float(known[row])
        found.append(
            Flip(
                int(row), bool(left_right[row]), int(answers[0][row]), int(answers[1][row]), confidence, sure_side == 0
            )
        )
    return sorted(found, key=lambda flip: -1.0 if flip.confidence is None else flip.confidence, reverse=True)


def majority(side: Evidence, n_labels: int) -> NDArray[np.int64]:
    """The answer that most seeds give, shape (n,); of equals the lowest label number, -1 where most give none."""
    if len(side.predictions) == 1:
        return side.predictions[0].labels
    votes = np.zeros((len(side.truth), n_labels + 1))
    for one in side.predictions:
        votes[np.arange(len(side.truth)), one.labels] += 1  # -1 counts in the last column
    winner = votes.argmax(axis=1)
    return np.where(winner == n_labels, NO_ANSWER, winner)


def top_scores(side: Evidence) -> NDArray[np.float64] | None:
    """The highest score of each row, the mean over seeds, shape (n,)."""
    scores = [one.scores for one in side.predictions if one.scores is not None]
    return np.mean([one.max(axis=1) for one in scores], axis=0) if scores else None


def compared(claim: Claim, evidence: Mapping[str, Evidence]) -> tuple[Evidence, Evidence] | None:
    """Both sides' evidence, where a claim compares rows and both are known."""
    names = sides_of(claim)
    if names is None or any(name not in evidence or evidence[name].published for name in names):
        return None
    return evidence[names[0]], evidence[names[1]]
