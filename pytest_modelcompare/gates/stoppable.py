"""Which gates may be decided before every row is answered, and why the others may not."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelcompare.gates.claims import Claim, DoesNotRegress, Metric
from pytest_modelcompare.gates.needs import contestants_of
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.records import Evidence


def stoppable(spec: GateSpec, evidence: Mapping[str, Evidence]) -> str | None:
    """Why a gate cannot be decided on the first rows of a seeded order; None where it can.

    Args:
        evidence: what is known before an LLM is asked: labels, groups, and of trained contestants the
            seeds. Answers are not read.
    """
    if spec.decide != "interval":
        return f"`decide: {spec.decide}` is not tested at looks"
    if spec.slice:
        return "looks are planned on all test rows, not on a slice of them"
    asked = {name for claim in spec.claims for name in contestants_of(claim)}
    if sum(name in evidence and evidence[name].method == "prompt" for name in asked) > 1 and len(spec.claims) > 1:
        return "its claims are about several LLMs, and one may stop before the other"
    return next((reason for claim in spec.claims if (reason := waits_because(claim, evidence))), None)


def waits_because(claim: Claim, evidence: Mapping[str, Evidence]) -> str | None:
    """Why one claim cannot be decided on the first rows."""
    if isinstance(claim, DoesNotRegress):
        return "its baseline is compared on all rows"
    question = question_of(claim)
    for metric in question.metrics:
        if reason := figure_waits_because(metric, evidence.get(metric.contestant)):
            return reason
    if question.expression is not None or not (len(question.terms) == 1 or question.is_difference):
        return "arithmetic between figures has no test that holds at looks"
    first, sides = question.metrics[0], [evidence[metric.contestant] for metric in question.metrics]
    if question.is_difference and first.name != "accuracy":
        return f"a difference of {named(first)} has no test that holds at looks"
    if sum(side.method == "prompt" for side in sides) > 1:
        return "both contestants are asked, and one may stop before the other"
    if first.label is not None and sides[0].clusters is not None:
        # simulated at looks in groups of 4 or 15 rows (within-group correlation .1): up to 8.3 % false passes of f1
        return f"{named(first)} has no exact test on rows in groups"
    return None


def figure_waits_because(metric: Metric, side: Evidence | None) -> str | None:
    """Why one figure has no test on the first rows."""
    needs = METRICS[metric.name].needs
    if side is None:
        return f"nothing is known of {metric.contestant}"
    if side.published is not None:
        return f"{side.name} is published and has no rows to look at"
    if needs is Need.SCORES:
        return f"{named(metric)} is tested by an approximation that errs too often on few rows"
    if needs not in ON_ROWS:
        return f"{named(metric)} is not counted on the test rows"
    if metric.name not in ("accuracy", "coverage") and metric.label is None:
        return f"{named(metric)} is made of all labels, and the first rows hold few of some"
    if metric.label is not None and metric.label not in side.labels:
        return f"no label `{metric.label}`"
    if max(len(side.predictions), len(side.seeds)) > 1:
        return f"{side.name} has several seeds, and the mean of a recipe has no test that holds at looks"
    return None


def named(metric: Metric) -> str:
    if metric.label is not None:
        return f"{metric.name} of one label"
    return f"macro {metric.name}" if METRICS[metric.name].per_label else metric.name
