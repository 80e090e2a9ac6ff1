"""What no data of this size can pass: small-sample rules, and bounds that even perfect rows miss."""

from __future__ import annotations

from math import ceil, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pytest_modelcompare.gates.power_facts import NEVER, PlanFacts, is_tango, requests, rows_of
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.wording import rows_text
from pytest_modelcompare.metrics.catalogue import LATENCY_QUANTILES, METRICS, Need
from pytest_modelcompare.metrics.own_figures import too_few_for_own
from pytest_modelcompare.statistics import power_needed
from pytest_modelcompare.statistics.bootstrap import too_few_per_class
from pytest_modelcompare.statistics.latency import too_few_requests
from pytest_modelcompare.statistics.newcombe import method5_variance
from pytest_modelcompare.statistics.proportion import too_few_clusters

LIKE_A_SHARE = ("balanced_accuracy", "mcc", "f1", "precision", "recall", "f1_weighted")


def undecided_by_rule(question: Question, facts: PlanFacts, confidence: float, spec: GateSpec) -> str | None:
    """The small-sample rule that no data of this size can meet."""
    if not question.metrics or question.expression is not None:
        return None
    metric = question.metrics[0]
    if METRICS[metric.name].needs is Need.LATENCY:
        quantile = LATENCY_QUANTILES[metric.name]
        if len(question.terms) > 1 or quantile is None or metric.contestant in facts.published:
            return None
        return too_few_requests(requests(metric.contestant, facts), quantile, confidence)
    sides = [side.contestant for side in question.metrics if side.contestant not in facts.published]
    if METRICS[metric.name].needs not in ON_ROWS or not sides:
        return None
    seeds = [facts.seeds.get(name, 1) for name in sides]
    if 2 in seeds:
        return "two seeds say too little about the recipe: give at least three `seeds`"
    if spec.decide == "next_training" and max(seeds) == 1:
        return "one seed says nothing about the next training: give at least three `seeds`"
    if METRICS[metric.name].own and (because := too_few_for_own(metric.name, facts.rows)):
        return because
    if facts.groups is not None and (because := too_few_clusters(facts.groups)[0]):
        return because
    if facts.groups is None and max(seeds) == 1 and len(sides) == len(question.terms):
        return too_few_rows(question, facts)
    return None


def too_few_rows(question: Question, facts: PlanFacts) -> str | None:
    """The rule of the bootstrap: rows of every label; of rankings: rows of a label beside others."""
    metric = question.metrics[0]
    counts = list(facts.rows_per_label.values())
    if metric.name == "auroc" and metric.label is None and max(counts, default=0) == facts.rows:
        return "all test rows have one label"
    if metric.label is not None and (question.above or metric.name not in ("f1", "precision")):
        mine = rows_of(metric.label, facts)
        if mine == 0:
            return f"no test row is labelled {metric.label}"
        if mine == facts.rows and metric.name == "auroc":
            return f"every test row is labelled {metric.label}"
    tested_otherwise = metric.label is not None and (len(question.terms) == 1 or metric.name == "recall")
    if metric.name not in LIKE_A_SHARE or tested_otherwise:
        return None
    number = None if metric.label is None else list(facts.rows_per_label).index(metric.label)
    return too_few_per_class(np.repeat(np.arange(len(counts)), counts), len(counts), number)


def all_alike(question: Question, n: int, threshold: float, confidence: float) -> str | None:
    """Whether not even rows that are all right (or all wrong, where that is the claim) would do."""
    needed = power_needed.rows_all_right(threshold, confidence)
    if needed <= n:
        return None
    bound = (1 - confidence) ** (1 / n)
    bound = bound if question.above else 1 - bound
    bound = 2 * bound / (1 + bound) if question.metrics[0].name == "f1" else bound
    side, rows = ("lower", "right") if question.above else ("upper", "wrong")
    more = f"; {needed:,.0f} rows could" if needed < inf else ""
    return f"{NEVER} on these {n:,} rows: even with every row {rows} the {side} bound is {bound:.3f}{more}"


def perfect_ranking(
    question: Question, positives: NDArray[np.float64], negatives: NDArray[np.float64], confidence: float
) -> str | None:
    """Whether not even an area of 1 would be shown to meet the threshold."""
    z = float(ndtri(confidence))
    distance = abs((1.0 if question.above else 0.0) - question.threshold)
    se = sqrt(max(method5_variance(np.full(len(positives), question.threshold), positives, negatives), 0.0))
    if distance >= z * se and distance > 0:
        return None
    n = int(positives[0] + negatives[0])
    more = f"; {rows_text(ceil(n * (z * se / distance) ** 2))} rows like these could" if distance > 0 else ""
    ranked = "perfect" if question.above else "reversed"
    return f"{NEVER} on these {n:,} rows: a {ranked} ranking of them would not show it{more}"


def too_few_identical(question: Question, facts: PlanFacts, n: int, confidence: float) -> str | None:
    """`matches … within X` must be able to pass with identical answers."""
    needed = power_needed.rows_identical(abs(question.threshold), confidence)
    count, unit = (n, "rows") if facts.groups is None else (min(n, int(facts.groups)), "groups")
    printed = any(metric.contestant in facts.published for metric in question.metrics)
    if printed or not is_tango(question) or count >= needed:
        return None
    more = f"; {needed:,.0f} {unit} could" if needed < inf else ""
    return f"not even identical answers would be shown to match on these {count:,} {unit}{more}"
