"""What stands behind a verdict, for the report: rows that flipped, parts that differ, how often it was judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_modelcompare.data.slices import LENGTHS, length_thirds, slice_rows
from pytest_modelcompare.execution.stopping import names_of
from pytest_modelcompare.gates.claims import DoesNotRegress
from pytest_modelcompare.gates.flipped import Flip, compared, flips
from pytest_modelcompare.gates.parts import Mask, differing_parts, is_of_rows, looks_at_labels
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.records import Dataset, Evidence, Outcomes, Verdict

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.gates.spec import GateSpec

MOST_ROWS = 200
"""Flipped rows of each kind that a report lists; all are counted."""

LONGEST_TEXT = 300
JUDGED = (Outcomes.PASS, Outcomes.FAIL, Outcomes.UNDECIDED)


def details(comparison: Comparison, spec: GateSpec, verdict: Verdict) -> dict[str, Any]:
    """`flipped`, `parts` and `judged` of a gate's report, as JSON types."""
    dataset = comparison.dataset
    if dataset is None or verdict.outcome not in JUDGED or not verdict.tested:
        return {}
    found: dict[str, Any] = {"judged": judged_before(comparison, spec, verdict)}
    if names_of(spec) & {name for name, answered in comparison.answered.items() if answered.rows is not None}:
        return found  # rows flip, and parts differ, on all rows
    if len(spec.claims) == 1 and not isinstance(spec.claims[0], DoesNotRegress):
        inside = np.ones(len(dataset.test), bool)
        if spec.slice:
            inside = slice_rows(dataset, comparison.suite.data, dict(spec.slice))
        found["flipped"] = flipped_rows(comparison, spec, dataset, inside)
        found["parts"] = parts(comparison, spec, verdict, dataset) if not spec.slice else []
    return found


def judged_before(comparison: Comparison, spec: GateSpec, verdict: Verdict) -> dict[str, Any] | None:
    """How often, with how many distinct models and since when; p times that number."""
    key = comparison.judged.get(spec.text)
    if key is None:
        return None
    known = comparison.judgements.of(spec.text).and_now(comparison.options.session, key)
    p = verdict.p_pass
    return {
        "times": known.times,
        "models": known.models,
        "since": known.since,
        "p_times_models": None if p is None else min(1.0, p * known.models),
    }


def flipped_rows(comparison: Comparison, spec: GateSpec, dataset: Dataset, inside: Mask) -> dict[str, Any] | None:
    """The rows that one side alone got right, most confident first."""
    sides = compared(spec.claims[0], comparison.evidence())
    if sides is None:
        return None
    found = [flip for flip in flips(*sides) if inside[flip.row]]
    alone = [[flip for flip in found if flip.left_is_right is left] for left in (True, False)]
    return {
        "left": sides[0].name,
        "right": sides[1].name,
        "left_alone": len(alone[0]),
        "right_alone": len(alone[1]),
        "rows": [shown(flip, dataset) for side in alone for flip in side[:MOST_ROWS]],
    }


def shown(flip: Flip, dataset: Dataset) -> dict[str, Any]:
    def name(label: int) -> str | None:
        return None if label < 0 else dataset.labels[label]

    text = dataset.test.texts[flip.row]
    return {
        "id": dataset.test.ids[flip.row],
        "text": text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…",
        "label": dataset.labels[dataset.test.labels[flip.row]],
        "left": name(flip.left_answer),
        "right": name(flip.right_answer),
        "alone": "left" if flip.left_is_right else "right",
        "confidence": flip.confidence,
        "confidence_of": "left" if flip.confidence_of_left else "right",
    }


def parts(comparison: Comparison, spec: GateSpec, verdict: Verdict, dataset: Dataset) -> list[dict[str, Any]]:
    """Lengths and labels on which the verdict would be another."""
    question = question_of(spec.claims[0])
    evidence: Mapping[str, Evidence] = comparison.evidence()
    known = all(metric.contestant in evidence for metric in question.metrics)
    if not known or not is_of_rows(question) or any(evidence[one.contestant].published for one in question.metrics):
        return []
    thirds = length_thirds(dataset.test)
    masks = {f"length is {name}": thirds == number for number, name in enumerate(LENGTHS)}
    if looks_at_labels(question):
        column = comparison.suite.data.label
        masks |= {f"{column} is {name}": dataset.test.labels == number for number, name in enumerate(dataset.labels)}
    masks = {name: mask for name, mask in masks.items() if mask.any()}
    found = differing_parts(question, dict(evidence), verdict.outcome, masks, verdict.confidence)
    return [
        {"where": one.where, "outcome": str(one.outcome), "value": one.value, "p_value": one.p_value, "n": one.n}
        for one in found
    ]
