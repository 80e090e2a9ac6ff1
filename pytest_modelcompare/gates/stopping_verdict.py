"""The verdict on a gate that was looked at several times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import NormalDist

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.any_of import any_of
from pytest_modelcompare.gates.claims import Claim
from pytest_modelcompare.gates.combine import combined
from pytest_modelcompare.gates.fair import require_coverage
from pytest_modelcompare.gates.judge import effective_rows, figures, judge, message, target
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.gates.rules import Rules, softened
from pytest_modelcompare.gates.spec import Undecided
from pytest_modelcompare.gates.stopping import StoppingPlan
from pytest_modelcompare.gates.stopping_looks import GateLooks, on_first_rows
from pytest_modelcompare.records import Evidence, Outcomes, Verdict
from pytest_modelcompare.statistics.boundaries import SequentialPlan
from pytest_modelcompare.statistics.looks import Schedule
from pytest_modelcompare.statistics.sequential import BIASED, SequentialResult, stopped


def sequential_verdict(
    plan: StoppingPlan, gate: GateLooks, evidence: Mapping[str, Evidence], *, undecided: Undecided = "fail"
) -> Verdict:
    """The verdict on a sequential gate, with repeated confidence bounds and p-values.

    Args:
        evidence: as given to `look`.
        undecided: the suite's, for gates without their own.

    Returns:
        Undecided where the gate was given up or is open after all rows; an error where asking
        ended, for a budget or a broken service, while it was open.
    """
    spec, level = gate.gate.spec, gate.gate.confidence
    if gate.outcome is None:
        rows = max((result.n_rows for result in gate.results if result), default=0)
        ended = GateError(
            f"asking {plan.contestant} ended while this gate was open, after {rows:,} of {len(plan.order):,} rows",
            fix="run again: stored answers are used, the rest is asked",
        )
        return Verdict(spec.text, Outcomes.ERROR, str(ended), level)
    if len(plan.schedule.rows) == 1:  # one look at all rows is the fixed-size test
        return judge(spec, evidence, confidence=level, undecided=undecided, min_coverage=plan.min_coverage)
    rules = Rules(level, spec.undecided or undecided, plan.min_coverage, spec, (1 - level) / len(spec.claims))
    members = tuple(
        member_verdict(plan, claim, member, result, evidence, rules)
        for claim, member, result in zip(spec.claims, gate.gate.members, gate.results, strict=True)
        if result is not None
    )
    if not spec.any_of:
        return softened(replace(members[0], gate=spec.text), rules)
    return softened(replace(any_of(spec, members, level), looks=max(one.looks or 0 for one in members)), rules)


def member_verdict(
    plan: StoppingPlan,
    claim: Claim,
    member: SequentialPlan,
    result: SequentialResult,
    evidence: Mapping[str, Evidence],
    rules: Rules,
) -> Verdict:
    """One claim."""
    question, part = question_of(claim), on_first_rows(plan, evidence, result.n_rows)
    found, outcome, last = result.inference, result.outcome or Outcomes.UNDECIDED, result.number - 1
    if outcome is Outcomes.UNDECIDED:
        try:
            require_coverage(question, part, rules.min_coverage)
        except GateError as error:
            return Verdict(str(claim), Outcomes.ERROR, str(error), rules.confidence, looks=result.number)
    if result.outcome is None:
        found = replace(stopped(found, member, last), undecided_because="another claim of this gate passed first")
    found = replace(found, notes=tuple(note for note in found.notes if BIASED not in note))  # said by `look_text`
    sides, whole = [part[metric.contestant] for metric in question.metrics], combined(question, part)
    # the bounds lie c_k standard errors away; rows needed are worked out from these
    c_k = (member.pass_boundaries[last] + member.fail_boundaries[last]) / 2
    at_look = replace(rules, confidence=NormalDist().cdf(c_k))
    text = message(question, found, sides, outcome, at_look, whole, point=False)
    return Verdict(
        str(claim),
        outcome,
        f"{text}; {look_text(member.schedule, result)}",
        rules.confidence,
        found.method,
        target(sides, rules),
        *figures(question, part),
        difference=found,
        threshold=question.threshold,
        p_pass=found.p_above if question.above else found.p_below,
        p_fail=found.p_below if question.above else found.p_above,
        n_effective=effective_rows(whole),
        looks=result.number,
    )


def look_text(schedule: Schedule, result: SequentialResult) -> str:
    """Where a claim was decided, or was not."""
    n, early = schedule.rows[-1], result.number < len(schedule.rows)
    rows = f"on {result.n_rows:,} of {n:,} rows" if early else f"on all {n:,} rows"
    where = f"look {result.number} of {len(schedule.rows)}, {rows}"
    if result.outcome is None:
        return f"left open at {where}"
    if result.outcome is Outcomes.UNDECIDED:
        return f"given up at {where}" if early else f"still open at {where}"
    return f"decided at {where}" + ("; an early estimate lies too far from the threshold" if early else "")
