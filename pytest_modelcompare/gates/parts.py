"""Parts of the test rows on which a gate's verdict would be another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.combine import EvidenceByName, combined
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.records import Outcomes
from pytest_modelcompare.statistics.influence import from_influence
from pytest_modelcompare.statistics.multiplicity import holm
from pytest_modelcompare.statistics.paired import EXACT_UP_TO, exact_unconditional_p, tango_z
from pytest_modelcompare.statistics.proportion import exact_proportion

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the rows whose own verdict is not the gate's."""

    where: str
    """E.g. "length is long"."""

    outcome: Outcomes
    value: float
    p_value: float
    """Adjusted for the number of parts looked at (Holm)."""

    n: int


def differing_parts(
    question: Question, evidence: EvidenceByName, outcome: Outcomes, masks: Mapping[str, Mask], confidence: float
) -> list[Part]:
    """Parts where the claim fails although the gate passed, or holds although it did not.

    A label is no population of its own for a macro metric, so parts by label are for accuracy.

    Args:
        masks: name → shape (n,).
    """
    sought = [Outcomes.FAIL] if outcome is Outcomes.PASS else [Outcomes.PASS]
    if outcome is Outcomes.UNDECIDED:
        sought = [Outcomes.PASS, Outcomes.FAIL]
    names = list(masks)
    tested = [tested_part(question, evidence, masks[name], confidence) for name in names]
    found = []
    for wanted in sought:
        p_values = holm([one[1] if wanted is Outcomes.PASS else one[2] for one in tested])
        found += [
            Part(name, wanted, value, p, int(masks[name].sum()))
            for name, p, (value, _, _) in zip(names, p_values, tested, strict=True)
            if p * len(sought) <= 1 - confidence
        ]
    return sorted(found, key=lambda part: part.p_value)


def looks_at_labels(question: Question) -> bool:
    return question.expression is None and all(metric.name == "accuracy" for metric in question.metrics)


def is_of_rows(question: Question) -> bool:
    return bool(question.metrics) and all(
        METRICS[metric.name].needs in (Need.ROWS, Need.SCORES) and metric.name != "ece" for metric in question.metrics
    )


def tested_part(
    question: Question, evidence: EvidenceByName, inside: Mask, confidence: float
) -> tuple[float, float, float]:
    """The figure on a part, and the p-values of the claim and of its opposite."""
    sides = [evidence[metric.contestant] for metric in question.metrics]
    one_model_each = all(len(side.predictions) == 1 and side.clusters is None for side in sides)
    plain = question.is_difference or len(question.terms) == 1
    if looks_at_labels(question) and one_model_each and plain:
        right = [(side.predictions[0].labels == side.truth)[inside] for side in sides]
        value, above, below = of_accuracy(right, question.threshold, confidence)
    else:
        part = {name: side.on_rows(inside) for name, side in evidence.items() if name in {one.name for one in sides}}
        try:
            found = from_influence(combined(question, part), question.threshold, confidence)
        except GateError:  # a label without rows in this part has no area under a curve
            return float("nan"), 1.0, 1.0
        undecided = found.undecided_because is not None
        value, above, below = found.value, *((1.0, 1.0) if undecided else (found.p_above, found.p_below))
    return (value, above, below) if question.above else (value, below, above)


def of_accuracy(right: Sequence[Mask], threshold: float, confidence: float) -> tuple[float, float, float]:
    """Accuracy, or a difference of two, and both p-values; the exact test only where it could matter."""
    n = len(right[0])
    if len(right) == 1:
        found = exact_proportion(int(right[0].sum()), n, threshold, confidence)
        return found.value, found.p_above, found.p_below
    b, c = int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum())
    z = tango_z(b, c, n, threshold)
    above, below = float(ndtr(-z)), float(ndtr(z))
    if n <= EXACT_UP_TO and min(above, below) <= 1 - confidence:
        exact = (
            exact_unconditional_p(b, c, n, threshold) if above < below else exact_unconditional_p(c, b, n, -threshold)
        )
        above, below = (exact, below) if above < below else (above, exact)
    return (b - c) / n, above, below
