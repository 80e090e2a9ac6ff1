"""How a gate is to be judged, and what a suite makes of what is undecided."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_modelcompare.gates.spec import GateSpec, Undecided
from pytest_modelcompare.records import Outcomes, Verdict


@dataclass(frozen=True, slots=True)
class Rules:
    """How a gate is to be judged, the suite's defaults filled in."""

    confidence: float
    undecided: Undecided
    min_coverage: float
    spec: GateSpec
    pass_alpha: float
    """Level of the pass side: 1 - confidence, shared out over the members of an `any_of`."""


def softened(verdict: Verdict, rules: Rules) -> Verdict:
    """`undecided: pass` and `warn` give up the guarantee, and say so."""
    if verdict.outcome is not Outcomes.UNDECIDED or rules.undecided == "fail":
        return verdict
    said = f"UNDECIDED, let pass by `undecided: {rules.undecided}`: {verdict.message}"
    return replace(verdict, outcome=Outcomes.PASS, message=said, tested=False)
