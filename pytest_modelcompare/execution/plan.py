"""What would run: trainings, calls, tokens, USD; stored or new. Nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_modelcompare.contestants.registry import LOCAL
from pytest_modelcompare.execution.asked import plans
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.local import local_jobs, stored_run
from pytest_modelcompare.execution.prepare import load
from pytest_modelcompare.execution.references import TFIDF, reference_spec, wants_tfidf


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """One line of a plan."""

    contestant: str
    what: str
    """E.g. "train, seed 42" or "ask 3,080 rows of claude-haiku-5-5"."""

    stored: bool
    usd: float = 0.0


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
    for spec in comparison.chosen(needs):
        if spec.method in LOCAL:
            method = LOCAL[spec.method]
            for job in local_jobs(spec, method, comparison.dataset, comparison.base):
                found = stored_run(job, comparison.store, comparison.options)
                jobs.append(PlannedJob(spec.name, f"{job.title.partition(': ')[2]} ({spec.method})", found is not None))
        elif spec.name in asked:
            plan = asked[spec.name]
            tokens = plan.input_tokens_estimate + plan.output_tokens_estimate
            model = getattr(spec.settings, "model", "")
            what = f"ask {plan.missing:,} of {plan.total:,} rows, about {tokens:,} tokens ({model})"
            jobs.append(PlannedJob(spec.name, what, plan.missing == 0, plan.usd_estimate))
        else:
            jobs.append(PlannedJob(spec.name, f"read ({spec.method})", True))
    if wants_tfidf(comparison):
        job = local_jobs(reference_spec(), LOCAL["tfidf"], comparison.dataset, comparison.base)[0]
        stored = stored_run(job, comparison.store, comparison.options) is not None
        jobs.append(PlannedJob(TFIDF, "train (reference line)", stored))
    return jobs
