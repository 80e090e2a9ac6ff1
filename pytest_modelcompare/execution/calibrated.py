"""Calibration of a contestant, and where a cascade would hand over, as JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from pytest_modelcompare.metrics.calibration import calibration, reliability
from pytest_modelcompare.metrics.deferral import defer_below
from pytest_modelcompare.metrics.ranking import filled_scores
from pytest_modelcompare.records import Evidence


def calibration_of(evidence: Evidence) -> dict[str, Any] | None:
    """The first seed's; None without scores."""
    if not evidence.predictions or evidence.predictions[0].scores is None:
        return None
    first = evidence.predictions[0]
    scores = filled_scores(first)
    found = asdict(calibration(evidence.truth, scores))
    bins = [asdict(one) for one in reliability(evidence.truth, scores)]
    return {**found, "scores_from": first.scores_from, "bins": bins}


def deferrals(evidence: Evidence, others: Mapping[str, Evidence]) -> dict[str, dict[str, Any]]:
    """Below which confidence of this contestant asking another one would pay, for each that a cascade could ask."""
    if evidence.traits.is_answered_elsewhere or not evidence.predictions or evidence.predictions[0].scores is None:
        return {}
    first = evidence.predictions[0]
    confidence = np.clip(filled_scores(first).max(axis=1), 0.0, 1.0)
    found = {}
    for name, other in others.items():
        if not other.traits.is_answered_elsewhere or not other.predictions or len(other.truth) != len(evidence.truth):
            continue  # one that stopped early was not asked all rows
        deferral = asdict(defer_below(evidence.truth, first.labels, confidence, other.predictions[0].labels))
        if not np.isfinite(deferral["threshold"]):
            deferral["threshold"] = None  # everything is handed over, whatever the confidence
        found[name] = deferral
    return found
