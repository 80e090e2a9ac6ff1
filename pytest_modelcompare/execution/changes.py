"""What changed between two sessions of a suite: verdicts side by side, figures row by row where that is possible."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot

import numpy as np

from pytest_modelcompare.errors import GateError, ModelCompareError
from pytest_modelcompare.gates.claims import DoesNotRegress, Metric
from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.language import GateSyntaxError, parse
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import Question, Term, question_of
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.records.history import ContestantThen, GateThen, SessionThen
from pytest_modelcompare.records.report import MetricReport
from pytest_modelcompare.store.answered import AnsweredStore, TestRows
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.runs import RunStore

THEN, NOW = "then:", "now:"
"""Before a contestant's name: no contestant can be called so."""

COUNTS = ("size_mb", "parameters")
"""What depends on no machine and no session."""

EvidenceByName = dict[str, Evidence]


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


def changes(before: SessionThen, after: SessionThen, store: StoreFolders) -> list[Change]:
    """Every contestant's accuracy, then every gate."""
    confidence = min(before.confidence, after.confidence)
    known = {**evidence_of(before, store, THEN), **evidence_of(after, store, NOW)}
    same_rows = bool(before.rows) and before.rows == after.rows
    rows = known if same_rows else {}
    why = "" if same_rows else "the test rows changed"
    common = [name for name in after.contestants if name in before.contestants]
    found = []
    for name in common:
        sides = [accuracy_of(name, one.contestants[name]) for one in (before, after)]
        if sides[0] is not None and sides[1] is not None:
            question = Question((Term(Metric(name, "accuracy"), 1.0),), 0.0, above=True, strict=True)
            found.append(change(f"{name}.accuracy", sides[0], sides[1], question, rows, confidence, why))
    for gate_before, gate_after in pairs(before, after):
        sentence = (gate_after or gate_before).gate  # type: ignore[union-attr]  # one of them is there
        if gate_before is None or gate_after is None:
            found.append(Change(sentence, gate_before, gate_after, how="is new" if gate_before is None else "is gone"))
        else:
            same = same_question(gate_before, gate_after)
            found.append(change(sentence, gate_before, gate_after, same, rows, confidence, why))
    return found


def pairs(before: SessionThen, after: SessionThen) -> list[tuple[GateThen | None, GateThen | None]]:
    """Gates of equal names or sentences, in the order of the later session, then those that are gone."""

    def then(gate: GateThen) -> GateThen | None:
        return next((old for old in before.gates if old.is_same(gate.gate, gate.name)), None)

    both: list[tuple[GateThen | None, GateThen | None]] = [(then(gate), gate) for gate in after.gates]
    matched = [old for old, _ in both]
    return both + [(old, None) for old in before.gates if old not in matched]


def accuracy_of(name: str, one: ContestantThen) -> GateThen | None:
    figure: MetricReport | None = one.figures.get("accuracy")
    return None if figure is None else GateThen(f"{name}.accuracy", "", None, figure.value, figure.low, figure.high)


def same_question(before: GateThen, after: GateThen) -> Question | None:
    """What both are about; a threshold may have moved."""
    then, now = asked(before), asked(after)
    return now if then is not None and now is not None and then.terms == now.terms else None


def asked(gate: GateThen) -> Question | None:
    """What a gate is about; None where that is no sum of metrics (a product, an `any_of`, a slice)."""
    try:
        claim = parse(gate.gate)
    except GateSyntaxError:
        return None
    if isinstance(claim, DoesNotRegress):
        metric = Metric(claim.a, claim.measure.name, claim.measure.label)
        return Question((Term(metric, 1.0),), 0.0, above=True, strict=True)
    question = question_of(claim)
    return question if question.expression is None and question.terms else None


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


def equal_scores(one: np.ndarray | None, two: np.ndarray | None) -> bool:
    return one is two or (one is not None and two is not None and np.array_equal(one, two, equal_nan=True))


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


def evidence_of(then: SessionThen, store: StoreFolders, prefix: str = "") -> EvidenceByName:
    """What the store still knows of a session's answers, by prefixed name."""
    rows = AnsweredStore(store).rows(then.rows) if then.rows else None
    if rows is None:
        return {}
    found = {name: answered(name, one, rows, then, store, prefix) for name, one in then.contestants.items()}
    return {prefix + name: evidence for name, evidence in found.items() if evidence is not None}


def answered(
    name: str, one: ContestantThen, rows: TestRows, then: SessionThen, store: StoreFolders, prefix: str
) -> Evidence | None:
    """A contestant's answers in a session, from its runs or from its kept answers; None where one is missing."""
    predictions = None if one.answers is None else AnsweredStore(store).answers(one.answers)
    if one.runs:
        try:
            runs = [RunStore(store).as_of(fingerprint, then.created) for fingerprint in one.runs]
        except ModelCompareError:  # a damaged run is one that is not there
            return None
        predictions = None if None in runs else tuple(run.outcome.predictions for run in runs if run is not None)
    if predictions is None or any(len(part.labels) != len(rows.truth) for part in predictions):
        return None
    groups = rows.groups
    return Evidence(
        prefix + name, one.method, rows.labels, rows.truth, groups, predictions, tuple(range(len(predictions)))
    )
