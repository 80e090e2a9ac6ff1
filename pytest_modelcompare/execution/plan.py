"""What would run: trainings, calls, tokens, USD; stored or new. Nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.graph import Graph
from pytest_modelcompare.execution.planning import plan_jobs
from pytest_modelcompare.execution.references import TFIDF
from pytest_modelcompare.execution.stopping import plan_for
from pytest_modelcompare.extras import install_command, not_installed
from pytest_modelcompare.gates.stopping import plan_text
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.registry import libraries_of, method_of
from pytest_modelcompare.records.jobs import Job, Kind


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One line of a plan."""

    contestant: str
    what: str
    """E.g. "train, seed 42" or "ask 3,080 of 3,080 requests, about 900,000 tokens (anthropic:claude-haiku-5-5)"."""

    stored: bool
    usd: float = 0.0
    details: tuple[str, ...] = ()
    """What is to be said beside it, a line each."""


def planned(wanted: Sequence[tuple[Comparison, Needs]]) -> list[tuple[Comparison, list[PlannedJob]]]:
    """The jobs of each suite.

    Raises:
        ModelCompareError: a suite's data cannot be loaded, or a contestant cannot be run.
    """
    return [(comparison, planned_jobs(comparison, needs)) for comparison, needs in wanted]


def planned_jobs(comparison: Comparison, needs: Needs) -> list[PlannedJob]:
    """The graph that would be run, as lines: what is read, looked at or timed on the way is not said."""
    comparison.graph = Graph()
    plan_jobs(comparison, needs, strictly=True)
    required = {job.key for job in comparison.graph.required()}
    lines: list[PlannedJob] = []
    for spec in comparison.chosen(needs):
        method, planned = method_of(spec), comparison.graph.contestants[spec.name]
        if spec.members:
            lines.append(sweep_line(comparison, spec, planned.results[0]))
        elif method.traits.runs_here:
            jobs = [job for job in planned.jobs if job.kind in (Kind.TRAIN, Kind.SERVE) and job.key in required]
            lines += [training_line(comparison, spec, job) for job in jobs]
        elif method.traits.asks:
            lines += [asking_line(comparison, spec, job, needs) for job in planned.results]
        elif planned.jobs and not method.traits.recorded:
            lines += [PlannedJob(spec.name, job.task, job.stored) for job in planned.jobs]
        else:
            lines.append(PlannedJob(spec.name, f"read ({spec.method})", True))
    references = [job for job in comparison.graph.jobs.values() if job.kind is Kind.REFERENCE]
    return lines + [PlannedJob(TFIDF, "train (reference line)", job.stored) for job in references]


def sweep_line(comparison: Comparison, spec: ContestantSpec, job: Job[Any]) -> PlannedJob:
    """What a sweep's plain name stands for; its members have lines of their own."""
    dataset = comparison.dataset
    assert dataset is not None
    rows = len(dataset.validation) if dataset.validation is not None else 0
    what = f"the best of {len(spec.members):,} members ({len(job.needs):,} trainings) on {rows:,} validation rows"
    return PlannedJob(spec.name, what, all(one.stored for one in job.needs))


def training_line(comparison: Comparison, spec: ContestantSpec, job: Job[Any]) -> PlannedJob:
    """One seed's; what another contestant's training gives is said so."""
    what = f"{job.task} ({spec.method})"
    if job.expected.train_rows is not None:
        what += f" on {job.expected.train_rows:,} rows"
    owner = comparison.graph.users_of(job.key)[0]
    if owner != spec.name:
        what += f", the same as `{owner}`"
    return PlannedJob(spec.name, what, job.stored, details=() if job.stored else missing_for(spec))


def asking_line(comparison: Comparison, spec: ContestantSpec, job: Job[Any], needs: Needs) -> PlannedJob:
    """All requests of a contestant, those of a search for its prompt counted in."""
    plan = job.expected
    what = f"ask {plan.calls:,} of {plan.all_calls:,} requests, about {plan.tokens:,} tokens ({spec.model or ''})"
    if plan.search_calls:
        what += f", at most {plan.search_calls:,} of them to search a prompt on training rows"
    if plan.waiting:
        what += f", {plan.waiting:,} of them under way in batches"
    if plan.basis:
        what += f", {plan.basis}"
    if plan.error is not None and plan.calls:
        what += f" (± {max(plan.error, 0.01):.0%} of its price)"
    details = missing_for(spec) if plan.calls else ()
    if method_of(spec).may_stop(spec.settings) and needs.gates is not None:
        stopping = plan_for(comparison, spec.name, needs.gates)
        details += tuple(plan_text(stopping))
        what += "" if stopping.all_rows else ", or fewer: asking stops when its gates are decided"
    return PlannedJob(spec.name, what, plan.calls == 0, plan.usd, details)


def missing_for(spec: ContestantSpec) -> tuple[str, ...]:
    """What it would be computed or asked with and is not installed here."""
    missing = not_installed(libraries_of(spec))
    return (f"needs {', '.join(missing)}: {install_command(missing)}",) if missing else ()
