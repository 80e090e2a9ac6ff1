"""What would run: trainings, calls, tokens, USD; stored or new. Nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_modelcompare.execution.asked import plans
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.local import local_jobs, stored_run
from pytest_modelcompare.execution.prepare import load
from pytest_modelcompare.execution.references import TFIDF, reference_spec, wants_tfidf
from pytest_modelcompare.execution.stopping import may_stop, plan_for
from pytest_modelcompare.extras import install_command, not_installed
from pytest_modelcompare.gates.stopping import plan_text
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.registry import LOCAL, libraries_of
from pytest_modelcompare.records import Dataset


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
        ModelCompareError: a suite's data cannot be loaded.
    """
    return [(comparison, planned_jobs(comparison, needs)) for comparison, needs in wanted]


def planned_jobs(comparison: Comparison, needs: Needs) -> list[PlannedJob]:
    load(comparison)
    if comparison.data_error is not None:
        raise comparison.data_error
    assert comparison.dataset is not None
    jobs = []
    asked = plans(comparison, needs)
    made_by: dict[str, str] = {}
    for spec in comparison.chosen(needs):
        if spec.members:
            jobs.append(planned_sweep(comparison, spec, comparison.dataset))
        elif spec.method in LOCAL:
            jobs += planned_trainings(comparison, spec, comparison.dataset, made_by)
        elif spec.name in asked:
            plan = asked[spec.name]
            tokens = plan.input_tokens_estimate + plan.output_tokens_estimate
            model = getattr(spec.settings, "model", "")
            what = f"ask {plan.missing:,} of {plan.total:,} requests, about {tokens:,} tokens ({model})"
            if plan.search:
                what += f", at most {plan.search:,} of them to search a prompt on training rows"
            if plan.waiting:
                what += f", {plan.waiting:,} of them under way in batches"
            if plan.basis:
                what += f", {plan.basis}"
            if plan.error is not None and plan.missing:
                what += f" (± {max(plan.error, 0.01):.0%} of its price)"
            details = missing_for(spec) if plan.missing else ()
            if may_stop(spec) and needs.gates is not None:
                stopping = plan_for(comparison, spec.name, needs.gates)
                details += tuple(plan_text(stopping))
                what += "" if stopping.all_rows else ", or fewer: asking stops when its gates are decided"
            jobs.append(PlannedJob(spec.name, what, plan.missing == 0, plan.usd_estimate, details))
        else:
            jobs.append(PlannedJob(spec.name, f"read ({spec.method})", True))
    if wants_tfidf(comparison):
        job = local_jobs(reference_spec(), LOCAL["tfidf"], comparison.dataset, comparison.base)[0]
        stored = stored_run(job, comparison.store, comparison.options) is not None
        jobs.append(PlannedJob(TFIDF, "train (reference line)", stored))
    return jobs


def planned_sweep(comparison: Comparison, spec: ContestantSpec, dataset: Dataset) -> PlannedJob:
    """What a sweep's plain name stands for; its members have lines of their own."""
    members = [comparison.suite.contestants[name] for name in spec.members]
    jobs = [job for one in members for job in local_jobs(one, LOCAL[one.method], dataset, comparison.base)]
    stored = all(stored_run(job, comparison.store, comparison.options) for job in jobs)
    rows = len(dataset.validation) if dataset.validation is not None else 0
    what = f"the best of {len(members):,} members ({len(jobs):,} trainings) on {rows:,} validation rows"
    return PlannedJob(spec.name, what, stored)


def planned_trainings(
    comparison: Comparison, spec: ContestantSpec, dataset: Dataset, made_by: dict[str, str]
) -> list[PlannedJob]:
    """One line per seed; what another contestant's training gives is said so.

    Args:
        made_by: fingerprint → the contestant that it was planned for; added to.
    """
    jobs = []
    own = local_jobs(spec, LOCAL[spec.method], dataset, comparison.base)
    trainings = [one.training for one in own if one.training and one.training.fingerprint not in made_by]
    for job in [*trainings, *own]:
        what = f"{job.title.partition(': ')[2]} ({spec.method})"
        if spec.subset is not None and job.dataset.train is not None:
            what += f" on {len(job.dataset.train):,} rows"
        owner = made_by.setdefault(job.fingerprint, spec.name)
        if owner != spec.name:
            what += f", the same as `{owner}`"
        stored = stored_run(job, comparison.store, comparison.options) is not None
        jobs.append(PlannedJob(spec.name, what, stored, details=() if stored else missing_for(spec)))
    return jobs


def missing_for(spec: ContestantSpec) -> tuple[str, ...]:
    """What it would be computed or asked with and is not installed here."""
    missing = not_installed(libraries_of(spec))
    return (f"needs {', '.join(missing)}: {install_command(missing)}",) if missing else ()
