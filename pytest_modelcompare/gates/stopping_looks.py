"""Looking at the first rows of the seeded order, once all of them are answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.combine import EvidenceByName
from pytest_modelcompare.gates.fair import require_coverage
from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.needs import contestants_of
from pytest_modelcompare.gates.question import Question, question_of
from pytest_modelcompare.gates.stopping import SequentialGate, StoppingPlan
from pytest_modelcompare.records import Evidence, Inference, Outcomes
from pytest_modelcompare.statistics.futility import given_up
from pytest_modelcompare.statistics.looks import ready_looks
from pytest_modelcompare.statistics.sequential import SequentialResult, take_looks


@dataclass(frozen=True, slots=True)
class GateLooks:
    """Where one gate stands. What is decided stays decided, whatever later answers say."""

    gate: SequentialGate
    results: tuple[SequentialResult | None, ...]
    """One per claim; None before the first look."""

    @property
    def outcome(self) -> Outcomes | None:
        """PASS once one claim passes, FAIL once all fail, UNDECIDED once none goes on; None: the gate is open."""
        found = [result.outcome if result else None for result in self.results]
        if Outcomes.PASS in found:
            return Outcomes.PASS
        if None in found:
            return None
        return Outcomes.FAIL if set(found) == {Outcomes.FAIL} else Outcomes.UNDECIDED


@dataclass(frozen=True, slots=True)
class Standing:
    """Where all gates stand after the looks taken so far."""

    gates: tuple[GateLooks, ...]
    """In the order of `StoppingPlan.sequential`."""

    looks: int
    may_stop: bool
    """Every sequential gate is decided or given up, and no other gate needs the rows not yet asked."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """An LLM whose gates were looked at while it was asked."""

    plan: StoppingPlan
    standing: Standing
    evidence: Mapping[str, Evidence]
    """What was looked at: all n rows in test order; of the LLM, rows that were not asked are never read."""


def look(
    plan: StoppingPlan,
    evidence: Mapping[str, Evidence],
    answered: NDArray[np.bool_],
    so_far: Standing | None = None,
) -> Standing:
    """Take the looks whose rows have all been answered, one after the other, until asking may stop.

    Looks that more rows would allow after that are not taken: the same answers give the
    same verdicts, however many requests were under way when asking stopped.

    Args:
        evidence: of every contestant that a sequential gate names, all n rows in test order; rows of the
            LLM that are not answered yet are never read.
        answered: shape (n,), in test order; whether the LLM's row is final: answered, or refused for good
            after its retries.
        so_far: what the call before gave back.

    Raises:
        GateError: a gate cannot be tested on this evidence.
    """
    standing = so_far or Standing(
        tuple(GateLooks(one, (None,) * len(one.members)) for one in plan.sequential), 0, False
    )
    for number in range(standing.looks + 1, ready_looks(answered[plan.order], plan.schedule) + 1):
        if standing.may_stop:
            break
        standing = after_look(plan, evidence, standing.gates, number)
    return standing


def after_look(
    plan: StoppingPlan, evidence: Mapping[str, Evidence], gates: tuple[GateLooks, ...], number: int
) -> Standing:
    """The gates that are still open after one more look (1-based number)."""
    part = on_first_rows(plan, evidence, plan.schedule.rows[number - 1])
    gates = tuple(gate if gate.outcome else looked(gate, part, number, plan.min_coverage) for gate in gates)
    # giving up binds nobody: a gate that is futile alone looks on while others need the rows anyway
    ended = tuple(gate if gate.outcome else without_futile(gate) for gate in gates)
    may_stop = all(gate.outcome for gate in ended)
    return Standing(ended if may_stop else gates, number, may_stop)


def on_first_rows(plan: StoppingPlan, evidence: Mapping[str, Evidence], n_rows: int) -> EvidenceByName:
    """The evidence of the sequential gates' contestants on the first rows of the order."""
    names = {name for gate in plan.sequential for claim in gate.spec.claims for name in contestants_of(claim)}
    inside = plan.inside(n_rows)
    return {name: evidence[name].on_rows(inside) for name in names}


def looked(gate: GateLooks, part: EvidenceByName, number: int, min_coverage: float) -> GateLooks:
    """One gate after one more look."""
    results = []
    for claim, plan, result in zip(gate.gate.spec.claims, gate.gate.members, gate.results, strict=True):
        question = question_of(claim)

        def test(_: int, confidence: float, question: Question = question) -> Inference:
            return tested(question, part, confidence, min_coverage)

        results.append(take_looks(plan, test, number, result))
    return replace(gate, results=tuple(results))


def tested(question: Question, part: EvidenceByName, confidence: float, min_coverage: float) -> Inference:
    """The fixed-size test of one look; an opponent that answered too little decides nothing there."""
    found = infer(question, part, confidence)
    try:
        require_coverage(question, part, min_coverage)
    except GateError as error:
        return replace(found, undecided_because=str(error))
    return found


def without_futile(gate: GateLooks) -> GateLooks:
    """A gate whose open claims are given up where the rest of the rows would hardly decide them.

    Without `expect:` nobody has said which effect matters, and nothing is given up.
    """
    expect, results = gate.gate.spec.expect, list(gate.results)
    for index, (claim, plan) in enumerate(zip(gate.gate.spec.claims, gate.gate.members, strict=True)):
        result = results[index]
        if expect is not None and result is not None and result.outcome is None:
            results[index] = given_up(plan, result, question_of(claim).threshold, expect) or result
    return replace(gate, results=tuple(results))
