"""What changed between two sessions of a suite: every contestant's accuracy and every gate, side by side."""

from __future__ import annotations

from pytest_modelcompare.execution.figure_change import NOW, THEN, Change, asked, change
from pytest_modelcompare.execution.past_answers import evidence_of
from pytest_modelcompare.gates.claims import Metric
from pytest_modelcompare.gates.question import Question, Term
from pytest_modelcompare.records.history import ContestantThen, GateThen, SessionThen
from pytest_modelcompare.records.report import MetricReport
from pytest_modelcompare.store.folders import StoreFolders


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
