"""The power of a gate in words: what is assumed, what 80 % takes, what is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pytest_modelcompare.gates.power_facts import ALIKE, GatePower, PlanFacts, PlannedTest
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.wording import format_value, on_claims_side, signed
from pytest_modelcompare.statistics import power_needed


def worded(
    claim: str, question: Question, test: PlannedTest, true: float | None, confidence: float, given: str | None = None
) -> GatePower:
    """The figures of a test, and the sentence that goes with them.

    Args:
        given: what is assumed to be true, in words; None: that the figure is `true`.
    """
    if test.never:
        return GatePower(claim, test.n, 0.0, None, "", test.never, test.unit)
    needed = power_needed.true_value_needed(test.power, test.threshold, test.best)
    enough = f"is out of reach, whatever the {test.what}" if needed is None else test.enough(needed)
    if true is None:
        return GatePower(claim, test.n, None, needed, "; ".join([f"80 % power {enough}", *test.notes]), None, test.unit)
    chance = test.power(true)
    parts = [f"if {given}" if given else f"if the {test.what} is {shown(question, true)}"]
    if chance < power_needed.TARGET:
        parts.append(f"80 % {enough}")
    warning = None
    if not on_claims_side(question, true):
        warning = f"the expected value breaks the claim: it passes with at most {percent(1 - confidence)}"
    return GatePower(claim, test.n, chance, needed, "; ".join([*parts, *test.notes]), warning, test.unit)


def of_several(members: list[GatePower], level: float) -> GatePower:
    """One of several must pass: as likely as its best member at least, as independent ones would at most."""
    known = [member.power for member in members if member.power is not None]
    parts = [f"each of {len(members)} is tested at {100 * level:.1f} %"]
    chance = None
    if len(known) == len(members):
        chance, most = max(known), 1 - float(np.prod([1 - one for one in known]))
        parts.append(f"{percent(chance)} to {percent(most)} by how far they depend on each other")
    said = [member.warning or member.assumption for member in members]
    if len(set(said)) > 1:
        said = [f"{member.gate}: {text}" for member, text in zip(members, said, strict=True)]
    else:
        said = said[:1]
    n, unit = max((member.n, member.unit) for member in members)
    if all(member.power == 0 and member.warning for member in members):
        return GatePower("", n, 0.0, None, parts[0], "; ".join(said), unit)
    return GatePower("", n, chance, None, "; ".join([*parts, *said]), None, unit)


def let_through(found: GatePower, spec: GateSpec, level: float) -> GatePower:
    """`undecided: pass` and `warn` let through what is not contradicted."""
    planned = spec.any_of or found.power is not None or found.needed is not None
    if spec.undecided not in ("pass", "warn") or not planned:
        return found
    text = (
        f"`undecided: {spec.undecided}` fails only what is contradicted: passes with at least {percent(level)} if true"
    )
    if found.warning and found.warning.startswith("the expected value breaks"):
        return replace(found, power=None, assumption=text)
    return replace(found, power=level, warning=None, assumption=text)


def with_seeds(found: GatePower, question: Question, facts: PlanFacts) -> GatePower:
    """Rows are planned; how much seeds scatter is not known."""
    seeds = max(facts.seeds.get(metric.contestant, 1) for metric in question.metrics)
    if seeds == 1 or not found.assumption or found.unit != "rows":
        return found
    return replace(found, assumption=f"{found.assumption}; for rows alone, the scatter of {seeds} seeds comes on top")


def group_notes(facts: PlanFacts) -> tuple[str, ...]:
    if facts.groups is None:
        return ()
    return (f"{facts.groups:,.0f} groups of equal weight, their rows correlated {ALIKE:g} (assumed)",)


def what(question: Question) -> str:
    metric = question.metrics[0]
    name = metric.name if metric.label is None else f"{metric.name}[{metric.label}]"
    return f"true difference in {name}" if question.is_difference else f"true {name}"


def needing(question: Question) -> Callable[[float], str]:
    """How the value that is needed is said."""
    most = "" if question.above else "at most "
    return lambda value: f"needs a {what(question)} of {most}{shown(question, value)}"


def shown(question: Question, value: float) -> str:
    name = question.metrics[0].name
    return signed(name, value) if question.is_difference else format_value(name, value)


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"
