"""One figure then and now: the difference, paired on the same rows where both answers are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot

import numpy as np

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.execution.past_answers import EvidenceByName, equal_scores
from pytest_modelcompare.gates.claims import DoesNotRegress, metrics_of
from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import Question, Term, question_of
from pytest_modelcompare.gates.tokens import GateSyntaxError
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.records.history import GateThen

THEN, NOW = "then:", "now:"
"""Before a contestant's name: no contestant can be called so."""

COUNTS = ("size_mb", "parameters")
"""What depends on no machine and no session."""


@dataclass(frozen=True, slots=True)
class Change:
    """A figure before and after."""

    what: str
    """A gate's sentence, or `contestant.metric`."""

    before: GateThen | None
    """None: there was no such gate."""

    after: GateThen | None
    value: float | None = None
    """After less before; None where that is no fair comparison."""

    low: float | None = None
    high: float | None = None
    how: str = ""
    """The procedure, or why there is none."""

    metric: str | None = None
    """In whose unit the figures are; None where they are none of one metric."""

    @property
    def shown(self) -> bool:
        """Whether the change is more than the rows could make by chance."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def change(
    what: str,
    before: GateThen,
    after: GateThen,
    question: Question | None,
    evidence: EvidenceByName,
    confidence: float,
    why: str,
) -> Change:
    """One figure's change: paired on the same rows, else from the two intervals, or not at all."""
    metric = None if question is None else question.metrics[0].name
    if before.value is None or after.value is None:
        return Change(what, before, after, how="not measured in both", metric=metric)
    whole = Change(what, before, after, after.value - before.value, metric=metric)
    if question is None:
        return replace(whole, value=None, how="no sum of the same metrics: not compared")
    if any(METRICS[one.name].needs not in ON_ROWS for one in question.metrics):
        if all(one.name in COUNTS for one in question.metrics):
            return whole
        return replace(whole, value=None, how="of different sessions: not compared")
    names = [one.contestant for one in question.metrics]
    if all(f"{prefix}{name}" in evidence for prefix in (THEN, NOW) for name in names):
        if same_answers(names, evidence):
            return replace(whole, value=0.0, low=0.0, high=0.0, how="identical answers")
        try:
            found = infer(over_time(question), evidence, confidence)
            how = f"paired, {found.method}"
            if found.undecided_because:
                return replace(whole, value=found.value, how=f"{how}: {found.undecided_because}")
            return replace(whole, value=found.value, low=found.low, high=found.high, how=how)
        except GateError as error:
            why = error.what
    return unpaired(whole, before, after, why or "answers are no longer in the store")


def asked(gate: GateThen) -> Question | None:
    """What a gate is about; None where that is no sum of metrics (a product, an `any_of`, a slice, a lost metric)."""
    try:
        claim = parse(gate.gate)
    except GateSyntaxError:
        return None
    if any(metric.name not in METRICS for metric in metrics_of(claim)):
        return None
    if isinstance(claim, DoesNotRegress):
        metric = claim.measure.of(claim.a)
        return Question((Term(metric, 1.0),), 0.0, above=True, strict=True)
    question = question_of(claim)
    return question if question.expression is None and question.terms else None


def over_time(question: Question) -> Question:
    """The same quantity, now less then."""
    now = [
        replace(term, metric=replace(term.metric, contestant=NOW + term.metric.contestant)) for term in question.terms
    ]
    then = [
        Term(replace(term.metric, contestant=THEN + term.metric.contestant), -term.coefficient)
        for term in question.terms
    ]
    return Question((*now, *then), 0.0, above=True, strict=True)


def same_answers(names: list[str], evidence: EvidenceByName) -> bool:
    """Whether every contestant answers every row as it did."""

    def same(name: str) -> bool:
        old, new = (evidence[prefix + name].predictions for prefix in (THEN, NOW))
        return len(old) == len(new) and all(
            np.array_equal(one.labels, two.labels) and equal_scores(one.scores, two.scores)
            for one, two in zip(old, new, strict=True)
        )

    return all(same(name) for name in names)


def unpaired(whole: Change, before: GateThen, after: GateThen, why: str) -> Change:
    """The change from both intervals (MOVER), as if the rows had nothing to do with each other."""
    assert before.value is not None
    assert after.value is not None
    if None in (before.low, before.high, after.low, after.high):
        return replace(whole, how=f"unpaired, without an interval: {why}")
    down = hypot(after.value - float(after.low or 0), float(before.high or 0) - before.value)
    up = hypot(float(after.high or 0) - after.value, before.value - float(before.low or 0))
    difference = after.value - before.value
    return replace(whole, low=difference - down, high=difference + up, how=f"unpaired: {why}")
