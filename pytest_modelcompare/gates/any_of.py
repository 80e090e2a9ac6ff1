"""`any_of`: one verdict from several."""

from __future__ import annotations

from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Outcomes, Verdict


def any_of(spec: GateSpec, members: tuple[Verdict, ...], confidence: float) -> Verdict:
    """Passes when one member passes at its share of the level, fails when every member is contradicted."""
    outcomes = [member.outcome for member in members]
    passed = [member for member in members if member.outcome is Outcomes.PASS]
    share = f"each tested at {1 - (1 - confidence) / len(members):.1%}"
    if passed:
        outcome, text = Outcomes.PASS, f"{passed[0].gate}: {passed[0].message} ({share})"
    elif Outcomes.ERROR in outcomes:
        broken = members[outcomes.index(Outcomes.ERROR)]
        outcome, text = Outcomes.ERROR, f"{broken.gate}: {broken.message}"
    else:
        contradicted = all(one is Outcomes.FAIL for one in outcomes)
        outcome = Outcomes.FAIL if contradicted else Outcomes.UNDECIDED
        text = f"none of {len(members)} is shown to hold ({share})"
    tested_members = [member.p_pass for member in members if member.p_pass is not None]
    p_pass = min(1.0, len(members) * min(tested_members)) if tested_members else None
    contradictions = [member.p_fail for member in members]
    p_fail = max((p for p in contradictions if p is not None), default=None) if None not in contradictions else None
    return Verdict(
        spec.text, outcome, text, confidence, "Holm's first step", p_pass=p_pass, p_fail=p_fail, members=members
    )
