"""How likely a gate is to pass if it is true, from the number of rows alone: before anything is trained or asked."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.claims import Claim, DoesNotRegress, Matches
from pytest_modelcompare.gates.on_rows import no_interval_for_ece
from pytest_modelcompare.gates.power_facts import NEVER, GatePower, PlanFacts, rows_of
from pytest_modelcompare.gates.power_rules import too_few_identical, undecided_by_rule
from pytest_modelcompare.gates.power_tests import counted, planned_test
from pytest_modelcompare.gates.power_words import let_through, of_several, percent, with_seeds, worded
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import Question, question_of
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.metrics.catalogue import LATENCY_QUANTILES, METRICS, Need

DISCORDANCE = 0.15
"""Share of rows that only one of two contestants is assumed to get right."""

ACCEPTED = "the accepted record"


def power_of_gate(spec: GateSpec, facts: PlanFacts, confidence: float, discordance: float = DISCORDANCE) -> GatePower:
    """The power of a gate if `expect:` is true, and the true value that it passes at with 80 %.

    Args:
        confidence: the suite's.
        discordance: share of rows that only one of two compared contestants gets right.
    """
    level = spec.confidence or confidence
    if spec.decide == "point":
        return GatePower(spec.text, facts.rows, None, None, "not tested (`decide: point`)")
    pass_level = 1 - (1 - level) / len(spec.claims)
    try:
        members = [power_of_claim(claim, spec, facts, pass_level, discordance) for claim in spec.claims]
    except GateError as error:
        return GatePower(spec.text, facts.rows, 0.0, None, "", f"{NEVER}, it is an error: {error.what}")
    found = of_several(members, pass_level) if spec.any_of else members[0]
    return let_through(replace(found, gate=spec.text), spec, level)


def power_of_claim(claim: Claim, spec: GateSpec, facts: PlanFacts, confidence: float, discordance: float) -> GatePower:
    """One claim.

    Raises:
        GateError: it will be an error, whatever the data.
    """
    if isinstance(claim, DoesNotRegress):
        return of_regression(claim, spec, facts, confidence, discordance)
    question = question_of(claim)
    reason = not_planned(question, facts)
    n, unit = counted(question, facts)
    if never := undecided_by_rule(question, facts, confidence, spec):
        return GatePower(str(claim), n, 0.0, None, "", f"{NEVER}: {never}", unit)
    if reason:
        return GatePower(str(claim), n, None, None, f"not planned: {reason}", None, unit)
    test = planned_test(question, facts, confidence, discordance)
    if not isinstance(claim, Matches) or spec.expect is not None:
        true = spec.expect if test.unit == "rows" else None
        return with_seeds(worded(str(claim), question, test, true, confidence), question, facts)
    if claim.b == ACCEPTED:
        return with_seeds(worded(str(claim), question, test, 0.0, confidence, "nothing changed"), question, facts)
    found = worded(str(claim), question, test, 0.0, confidence, "both are equally good")
    warning = found.warning or too_few_identical(question, facts, test.n, confidence)
    return with_seeds(replace(found, warning=warning), question, facts)


def of_regression(
    claim: DoesNotRegress, spec: GateSpec, facts: PlanFacts, confidence: float, discordance: float
) -> GatePower:
    """Then and now as two contestants. Unchanged answers pass untested; without a margin only a loss shown fails."""
    as_match = Matches(claim.a, ACCEPTED, claim.measure, claim.within or 0.0)
    found = replace(power_of_claim(as_match, spec, facts, confidence, discordance), gate=str(claim))
    if found.warning and found.warning.startswith(NEVER):
        return replace(found, power=None, warning=found.warning.replace(NEVER, "passes only if no answer changed", 1))
    if claim.within is not None or METRICS[claim.measure.name].needs not in ON_ROWS:
        return found
    text = f"fails only when a regression is shown: passes with at least {percent(confidence)} where nothing changed"
    return replace(found, power=confidence, needed=None, assumption=text, warning=None)


def not_planned(question: Question, facts: PlanFacts) -> str | None:
    """Why no power can be told beforehand.

    Raises:
        GateError: the metric has no test.
    """
    if not question.metrics:
        return "nothing is measured"
    kinds = {METRICS[metric.name].needs for metric in question.metrics}
    metric = question.metrics[0]
    printed = [side.contestant in facts.published for side in question.metrics]
    if metric.name == "ece":
        raise no_interval_for_ece()
    if not kinds <= {*ON_ROWS, Need.LATENCY}:
        return "measured or exact"
    if all(printed):
        return "a printed figure is what it is"
    if question.expression is not None or (len(question.terms) > 1 and not question.is_difference):
        return "arithmetic between metrics"
    if kinds == {Need.LATENCY} and (len(question.terms) > 1 or LATENCY_QUANTILES[metric.name] is None):
        return "measured, and how much it varies shows only then"
    if metric.label is not None and rows_of(metric.label, facts) == 0:
        return f"no test row is labelled {metric.label}"
    spec = METRICS[metric.name]
    if spec.own and not isfinite(spec.high - spec.low):
        return f"{metric.name} has no range that would bound how much it varies: give it `low` and `high`"
    unknown = metric.name in ("brier", "log_loss", "average_precision")
    if unknown or (any(printed) and metric.name == "auroc"):
        return f"how much {metric.name} varies over the rows shows only when it is measured"
    return None
