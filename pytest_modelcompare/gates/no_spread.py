"""Figures whose rows do not differ: nothing wrong, nothing right, no row told apart.

Their influence is 0, and an interval made from it would have no width on five rows.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.metrics.estimate import label_number
from pytest_modelcompare.records import Estimate, Evidence, Inference
from pytest_modelcompare.statistics.influence import spread_of
from pytest_modelcompare.statistics.proportion import effective_clusters
from pytest_modelcompare.statistics.rows_needed import rows_that_agree


def without_spread(
    found: Inference, figure: Estimate, question: Question, sides: list[Evidence], confidence: float
) -> Inference:
    """The same inference, undecided where rows that agree are too few to show the distance to the threshold.

    n rows of which none deviates leave a share of deviating rows up to 1 - alpha**(1/n) plausible,
    so a distance X needs ln(alpha) / ln(1 - X) of them: 299 for one point.
    """
    if spread_of(figure).variance > 0:
        return found
    rows = min(rows_that_matter(metric.label, side) for metric, side in zip(question.metrics, sides, strict=True))
    span = max(span_of(metric.name) for metric in question.metrics)
    room = span * (1.0 if rows < 1 else 1 - (1 - confidence) ** (1 / rows))
    low, high = min(found.low, found.value - room), max(found.high, found.value + room)
    if len(question.terms) == 1 and question.expression is None:
        low, high = max(low, question.terms[0].spec.low), min(high, question.terms[0].spec.high)
    found = replace(found, low=low, high=high)
    distance = abs(found.value - question.threshold) / span
    needed = rows_that_agree(distance, 1 - confidence)
    if rows >= needed:
        return found
    more = f"; {needed:,} can" if needed < inf else ""
    because = f"no row differs from another, and {rows:,.0f} rows that agree cannot show this{more}"
    return replace(found, undecided_because=found.undecided_because or because)


def span_of(metric: str) -> float:
    """How much a row that deviates can change a figure: of a project's own one, its whole range."""
    spec = METRICS[metric]
    return spec.high - spec.low if spec.own else 1.0


def rows_that_matter(label: str | None, side: Evidence) -> float:
    """Rows that one contestant's figure rests on: of one label the rarer of true and answered; groups count once."""
    answers = [one.labels for one in side.predictions]
    wanted = label_number(side, label)
    if wanted is None:
        matter = np.ones(len(side.truth), dtype=bool)
    else:
        matter = min((side.truth == wanted, *(one == wanted for one in answers)), key=np.count_nonzero)
    rows = int(matter.sum())
    if side.clusters is None or rows == 0:
        return rows
    return min(float(rows), effective_clusters(side.clusters[matter]))
