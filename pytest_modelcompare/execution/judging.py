"""The verdict on one gate of a prepared suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_modelcompare.data.slices import slice_rows
from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.accepting import accept, baselines, model_key, regressions
from pytest_modelcompare.execution.stopping import verdict_when_stopped
from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.needs import contestants_of
from pytest_modelcompare.methods.registry import method_of
from pytest_modelcompare.records import Outcomes, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.gates.spec import GateSpec
    from pytest_modelcompare.records import Evidence

NOT_JUDGED = (Outcomes.ERROR, Outcomes.SKIPPED)


def verdict_on(comparison: Comparison, spec: GateSpec) -> Verdict:
    """Judge a gate; what went wrong with what it needs is an error, never a pass."""
    named = sorted({name for claim in spec.claims for name in contestants_of(claim)})
    for error in [comparison.data_error, *(comparison.failures.get(name) for name in named)]:
        if error is not None:
            return error_verdict(spec, error)
    if reason := not_judged_because(comparison, named):
        return Verdict(spec.text, Outcomes.SKIPPED, reason)
    try:
        verdict = judged(comparison, spec)
    except ModelCompareError as error:
        return error_verdict(spec, error)
    if verdict.outcome not in NOT_JUDGED:
        comparison.judged[spec.text] = model_key(sides_of(comparison, named))
    return verdict


def judged(comparison: Comparison, spec: GateSpec) -> Verdict:
    """Judge on the gate's rows, and accept what is to be accepted.

    Raises:
        ModelCompareError: there is no such slice, the accepted record is broken, or an LLM stopped before its rows.
    """
    if (looked := verdict_when_stopped(comparison, spec)) is not None:
        return looked
    suite, evidence, inside = comparison.suite, comparison.evidence(), None
    if spec.slice:
        assert comparison.dataset is not None
        inside = slice_rows(comparison.dataset, suite.data, dict(spec.slice))
        evidence = {name: found.on_rows(inside) for name, found in evidence.items()}
    verdict = judge(
        spec,
        evidence,
        confidence=suite.confidence,
        undecided=suite.undecided,
        min_coverage=suite.min_coverage,
        baselines=baselines(comparison, spec.claims, evidence, inside),
    )
    claims = regressions(spec.claims) if comparison.options.accept else []
    if not claims:
        return verdict
    comparison.accepted_now += [accept(comparison, claim) for claim in claims]
    before = f"; before: {verdict.outcome.upper()}, {verdict.message}" if verdict.outcome not in NOT_JUDGED else ""
    said = f"accepted as the {'new' if before else 'first'} baseline{before}"
    return Verdict(spec.text, Outcomes.PASS, said, verdict.confidence, verdict.test, tested=False)


def not_judged_because(comparison: Comparison, named: list[str]) -> str:
    """Why a gate is skipped; empty where it is judged."""
    if comparison.options.smoke:
        return "a smoke run proves that the suite runs; its gates are not judged"
    asked = [name for name in named if method_of(comparison.suite.contestants[name]).traits.asks]
    if comparison.options.llm == "off" and asked:
        return f"{', '.join(asked)} would ask an LLM, and --modelcompare-llm=off"
    return ""


def sides_of(comparison: Comparison, named: list[str]) -> list[Evidence]:
    evidence: Mapping[str, Evidence] = comparison.evidence()
    return [evidence[name] for name in named if name in evidence]


def error_verdict(spec: GateSpec, error: ModelCompareError) -> Verdict:
    return Verdict(spec.text, Outcomes.ERROR, str(error))
