"""The power of claims about shares of the rows, and about figures that are taken for such."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.power_facts import EXACT_SHARES, NEVER, PlanFacts, PlannedTest, is_tango, one_model
from pytest_modelcompare.gates.power_rules import all_alike
from pytest_modelcompare.gates.power_words import group_notes, needing, percent, what
from pytest_modelcompare.gates.printed import half_of_the_last_digit
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.gates.wording import rows_text
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.statistics import power, power_needed
from pytest_modelcompare.statistics.paired import EXACT_UP_TO, NUISANCE_COVERAGE


def of_proportion(question: Question, facts: PlanFacts, confidence: float, n: int) -> PlannedTest:
    """Exact, on all rows or on the rows of a label; F1 through J = F1 / (2 - F1)."""
    metric, above = question.metrics[0], question.above
    through_j = metric.name == "f1"

    def as_share(value: float) -> float:
        value = min(max(value, 0.0), 1.0)
        share = value / (2 - value) if through_j else value
        return share if above else 1 - share

    threshold = as_share(question.threshold)

    def chance(true: float) -> float:
        if facts.groups is None or n < 2:
            return power.proportion_power(n, threshold, as_share(true), confidence)
        effect = facts.design_effect(n)
        return power.clustered_power(n, min(facts.groups, n), threshold, as_share(true), confidence, effect)

    notes = group_notes(facts)
    if metric.label is not None and metric.name != "recall":
        notes = ("on the rows of the label, as if there were no false alarms", *notes)
    best = 1.0 if above else 0.0
    never = None
    if metric.label is None or (facts.groups is None and one_model(question, facts)):
        # false alarms add rows to a label's, which helps the claim that its figure is low
        most = n if above or metric.label is None or metric.name == "recall" else facts.rows
        never = all_alike(question, most, threshold, confidence)
    return PlannedTest(n, chance, question.threshold, best, what(question), needing(question), notes, never)


def of_share(question: Question, facts: PlanFacts, confidence: float) -> PlannedTest:
    """Macro figures: as if they were a share of the rows."""
    above, n = question.above, facts.rows
    name = question.metrics[0].name

    def as_share(value: float) -> float:
        return min(max(value if above else 1 - value, 0.0), 1.0)

    def chance(true: float) -> float:
        rows = n / facts.design_effect(n)
        return power.share_power(rows, as_share(question.threshold), as_share(true), confidence, facts.df)

    notes = (f"about, as if {name} were a share of the rows", *group_notes(facts))
    best = 1.0 if above else 0.0
    return PlannedTest(n, chance, question.threshold, best, what(question), needing(question), notes)


def of_pairs(question: Question, facts: PlanFacts, confidence: float, discordance: float, n: int) -> PlannedTest:
    """Two contestants on the same rows: Tango's score, also for macro figures as if they were shares."""
    metric = question.metrics[0]
    sign = 1 if question.above else -1
    margin = sign * question.threshold

    def chance(true: float) -> float:
        return power.paired_power(n / facts.design_effect(n), discordance, margin, sign * true, confidence, facts.df)

    alone = f"{percent(discordance)} of rows, or what the difference takes, right for one alone (assumed)"
    notes = (alone, *group_notes(facts))
    never = None
    if is_tango(question):
        one_sided = (1 + margin) / 2
        needed = power_needed.rows_all_right(one_sided, confidence + NUISANCE_COVERAGE)
        if needed > n and (n <= EXACT_UP_TO or margin >= 1) and facts.groups is None and one_model(question, facts):
            more = f"; {rows_text(needed)} rows could" if needed < inf else ""
            never = f"{NEVER} on these {n:,} rows: even with every row right for one of them alone{more}"
    else:
        notes = (f"about, as if {metric.name} were a share of the rows", *notes)
    return PlannedTest(n, chance, question.threshold, float(sign), what(question), needing(question), notes, never)


def of_own(question: Question, facts: PlanFacts, confidence: float, discordance: float) -> PlannedTest:
    """A metric that the project added, as a mean over rows that all lie at one end of its range or the other.

    No mean of rows within the range varies more, so that such a metric has at least this power.

    Source: Bhatia and Davis (2000), https://doi.org/10.1080/00029890.2000.12005203
    """
    spec = METRICS[question.metrics[0].name]
    span, start = spec.high - spec.low, 0.0 if question.is_difference else spec.low

    def as_share(value: float) -> float:
        return (value - start) / span

    of_shares = replace(question, threshold=as_share(question.threshold))
    if question.is_difference:
        test = of_pairs(of_shares, facts, confidence, discordance, facts.rows)
    else:
        test = of_share(of_shares, facts, confidence)
    notes = (f"about, as if each row had {spec.name} {spec.low:g} or {spec.high:g}", *test.notes[1:])
    return replace(
        test,
        power=lambda true: test.power(as_share(true)),
        threshold=question.threshold,
        best=start + span * test.best,
        notes=notes,
    )


def of_published(question: Question, facts: PlanFacts, confidence: float) -> PlannedTest:
    """Against a printed figure, both variances."""
    printed = 1 if question.metrics[1].contestant in facts.published else 0
    metric = question.metrics[printed]
    if metric.label is not None:
        raise GateError(f"{metric.contestant} publishes no {metric.name} of the label `{metric.label}`")
    source, n = facts.published[metric.contestant], facts.rows
    figure = source.figures[metric.name]
    rounding = half_of_the_last_digit(figure)
    sign = 1 if question.above else -1
    # "the printed one is above ours" is the same claim about the shares of wrong rows
    figure = figure if sign == (1 if printed == 1 else -1) else 1 - figure
    margin = sign * question.threshold

    def chance(true: float) -> float:
        rows = n / facts.design_effect(n)
        return power.unpaired_power(rows, figure, source.n, rounding, margin, sign * true, confidence)

    own = "" if source.n else ", taken as exact"
    notes = (f"not on the same rows: {metric.contestant} printed{own}", *group_notes(facts))
    if metric.name not in EXACT_SHARES:
        notes = (f"about, as if {metric.name} were a share of the rows", *notes)
    best = 1 - figure
    never = None
    if not power.unpaired_power(n, figure, source.n, rounding, margin, best, confidence) > 0.5:
        rows = "right" if figure == source.figures[metric.name] else "wrong"
        never = f"{NEVER}: even with every row {rows} the printed {source.figures[metric.name]:g} is too near"
    return PlannedTest(n, chance, question.threshold, sign * best, what(question), needing(question), notes, never)
