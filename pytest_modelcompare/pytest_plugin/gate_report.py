"""One gate's verdict as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from pytest_modelcompare.execution.details import details
from pytest_modelcompare.records import Verdict
from pytest_modelcompare.records.report import GateReport

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.pytest_plugin.items import GateItem


def gate_report(item: GateItem, verdict: Verdict, comparison: Comparison) -> GateReport:
    """The numbers of the verdict, and what stands behind it."""
    difference = verdict.difference
    bounds = None if difference is None else {"value": difference.value, "low": difference.low, "high": difference.high}
    return GateReport(
        gate=verdict.gate,
        name=item.spec.name,
        nodeid=item.nodeid,
        line=item.spec.line,
        outcome=str(verdict.outcome),
        message=verdict.message,
        test=verdict.test,
        confidence=verdict.confidence,
        target=verdict.target,
        left=asdict(verdict.left) if verdict.left else None,
        right=asdict(verdict.right) if verdict.right else None,
        difference=bounds,
        threshold=verdict.threshold,
        p_value=verdict.p_pass,
        n=None if difference is None else difference.n,
        tested=verdict.tested,
        level=round(1 - verdict.confidence, 10),
        method=verdict.test,
        p_pass=verdict.p_pass,
        p_fail=verdict.p_fail,
        looks=verdict.looks,
        n_effective=verdict.n_effective,
        unpaired=verdict.unpaired,
        against=asdict(verdict.against) if verdict.against else None,
        **details(comparison, item.spec, verdict),
    )
