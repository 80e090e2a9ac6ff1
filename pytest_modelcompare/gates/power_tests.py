"""Which formula tells the power of which question: the test that will judge it, without its data."""

from __future__ import annotations

import numpy as np

from pytest_modelcompare.gates.power_facts import (
    EXACT_SHARES,
    PlanFacts,
    PlannedTest,
    one_model,
    requests,
    rows_of,
)
from pytest_modelcompare.gates.power_rules import perfect_ranking
from pytest_modelcompare.gates.power_shares import of_own, of_pairs, of_proportion, of_published, of_share
from pytest_modelcompare.gates.power_words import group_notes, needing, what
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.gates.wording import format_value
from pytest_modelcompare.metrics.catalogue import LATENCY_QUANTILES, METRICS, Need
from pytest_modelcompare.statistics import power

BLOCKS = 20
"""Interleaved blocks that requests are timed in."""

TIMED = {"prompt": "one request a row", "predictions": "if its recording has a time for every row"}
PER_LABEL = ("f1", "precision", "recall")


def planned_test(question: Question, facts: PlanFacts, confidence: float, discordance: float) -> PlannedTest:
    """The formula for a question that has one."""
    metric = question.metrics[0]
    if METRICS[metric.name].needs is Need.LATENCY:
        return of_latency(question, facts, confidence)
    if any(side.contestant in facts.published for side in question.metrics):
        return of_published(question, facts, confidence)
    if metric.name == "auroc":
        return of_auroc(question, facts, confidence)
    n = counted(question, facts)[0]
    if METRICS[metric.name].own:
        return of_own(question, facts, confidence, discordance)
    if question.is_difference:
        return of_pairs(question, facts, confidence, discordance, n)
    if metric.name in EXACT_SHARES or metric.label is not None:
        return of_proportion(question, facts, confidence, n)
    return of_share(question, facts, confidence)


def counted(question: Question, facts: PlanFacts) -> tuple[int, str]:
    """How many rows or requests a question is about; 0 where it is about neither."""
    if not question.metrics:
        return 0, "rows"
    metric = question.metrics[0]
    if METRICS[metric.name].needs is Need.LATENCY:
        return requests(metric.contestant, facts), "requests"
    if METRICS[metric.name].needs not in ON_ROWS:
        return 0, "rows"
    own_rows = metric.label is not None and metric.name in PER_LABEL
    return rows_of(str(metric.label), facts) if own_rows else facts.rows, "rows"


def of_auroc(question: Question, facts: PlanFacts, confidence: float) -> PlannedTest:
    """Newcombe's variance from the class counts."""
    metric, n = question.metrics[0], facts.rows
    chosen = list(facts.rows_per_label) if metric.label is None else [metric.label]
    counts = [facts.rows_per_label[label] for label in chosen if 0 < facts.rows_per_label[label] < n]
    effect = facts.design_effect(n)
    positives = np.array(counts, float) / effect
    negatives = n / effect - positives
    sign = 1 if question.above else -1
    notes = ("normal, variance from the class counts (Newcombe's method 5)", *group_notes(facts))
    if question.is_difference:

        def difference(true: float) -> float:
            margin = sign * question.threshold
            return power.auroc_difference_power(positives, negatives, margin, sign * true, confidence)

        notes = (*notes, "areas about 0.9, the errors of both correlated 0.5 (assumed)")
        return PlannedTest(n, difference, question.threshold, sign * 0.5, what(question), needing(question), notes)

    def chance(true: float) -> float:
        areas = [x if question.above else 1 - x for x in (question.threshold, true)]
        return power.auroc_power(positives, negatives, areas[0], areas[1], confidence)

    best = 1.0 if question.above else 0.0
    never = None
    if facts.groups is None and one_model(question, facts):
        never = perfect_ranking(question, positives, negatives, confidence)
    return PlannedTest(n, chance, question.threshold, best, what(question), needing(question), notes, never)


def of_latency(question: Question, facts: PlanFacts, confidence: float) -> PlannedTest:
    """A quantile is below T where fewer than the rest of the requests are slower: the true value is their share."""
    metric = question.metrics[0]
    quantile = LATENCY_QUANTILES[metric.name]
    assert quantile is not None
    n = requests(metric.contestant, facts)
    limit = quantile if not question.above else 1 - quantile

    def chance(slower: float) -> float:
        share = slower if question.above else 1 - slower
        return power.clustered_power(n, min(BLOCKS, n), limit, share, confidence, agreeing=n)

    slower = f"take longer than {format_value(metric.name, question.threshold)}"
    side = "at least" if question.above else "at most"
    return PlannedTest(
        n,
        chance,
        1 - quantile,
        float(question.above),
        f"share of requests that {slower}",
        lambda share: f"where {side} {100 * share:.1f} % of the requests {slower}",
        (TIMED.get(facts.methods.get(metric.contestant, ""), "a slow contestant is timed on fewer"),),
        unit="requests",
    )
