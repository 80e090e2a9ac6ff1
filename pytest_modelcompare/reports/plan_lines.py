"""A plan as lines of text: the jobs, their estimated bill, the power of the gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.plan import PlannedJob
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.reports.power_table import power_lines, powers_of


def plan_lines(comparison: Comparison, jobs: Sequence[PlannedJob], gates: Iterable[GateSpec], width: int) -> list[str]:
    """One suite's plan, whose data is loaded."""
    dataset = comparison.dataset
    assert dataset is not None
    train = len(dataset.train) if dataset.train is not None else 0
    lines = [f"{comparison.suite.name}: {train:,} training rows, {len(dataset.test):,} test rows"]
    if dataset.validation is not None:
        lines.append(f"  and {len(dataset.validation):,} validation rows, which no contestant is trained on")
    named = max([20, *(len(job.contestant) for job in jobs)])
    for job in jobs:
        price = f"  about {job.usd:.4f} USD" if job.usd else ""
        lines.append(f"  {job.contestant:<{named}} {'stored' if job.stored else 'new':<7} {job.what}{price}")
        lines += [f"  {'':<{named}} {'':<7} {detail}" for detail in job.details]
    lines += [f"  data: {warning}" for warning in dataset.warnings]
    return lines + power_lines(powers_of(comparison.suite, dataset, gates), width)


def bill_line(jobs: Iterable[PlannedJob]) -> str:
    """What all LLM calls would cost."""
    return f"LLM calls: about {sum(job.usd for job in jobs):.4f} USD; nothing was run"
