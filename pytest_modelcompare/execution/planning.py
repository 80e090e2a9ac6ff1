"""From a suite and its gates to the graph of jobs that gives what the gates need."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.data.made_up import make_up_dataset, offline_if_silent, source_unreachable
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.budget import llm_options
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.references import reference_job, wants_tfidf
from pytest_modelcompare.execution.stopping import is_wanted_whole, looking
from pytest_modelcompare.execution.sweep import best, needs_validation, with_members
from pytest_modelcompare.execution.timed import timing_job
from pytest_modelcompare.extras import not_installed, require
from pytest_modelcompare.methods.base import ContestantJobs, ContestantSpec, Desk, Looks
from pytest_modelcompare.methods.registry import libraries_of, method_of
from pytest_modelcompare.methods.tfidf import Tfidf, TfidfSettings
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.records.jobs import Context, Job, Kind, Place, Results

if TYPE_CHECKING:
    from pytest_modelcompare.execution.sweep import Selection


def plan_jobs(comparison: Comparison, needs: Needs, *, strictly: bool = False) -> None:
    """Add to the comparison's graph what these needs ask for and is not there yet.

    Args:
        strictly: raise what a contestant cannot be planned for; else that is noted as its failure.

    Raises:
        ModelCompareError: the suite's data cannot be read, or what `strictly` says.
    """
    if not needs.contestants:
        return
    read_rows(comparison)
    if comparison.data_error is not None:
        if strictly:
            raise comparison.data_error
        return
    started = time.monotonic()
    planner = Planner(comparison, needs, strictly)
    for spec in comparison.chosen(needs):
        planner.plan(spec.name)
    if wants_tfidf(comparison) and comparison.reference is None:
        plan_reference(comparison, strictly=strictly)
    if (timing := timing_job(comparison, needs)) is not None:
        comparison.graph.add_job(timing)
    comparison.planned_s += time.monotonic() - started


def plan_reference(comparison: Comparison, *, strictly: bool) -> None:
    """TF-IDF's line of the table; where it is to be made and cannot, the table says so."""
    job = reference_job(comparison)
    try:
        if not (job.stored or strictly):
            require("it", Tfidf().libraries(TfidfSettings()))
    except ModelCompareError as error:
        comparison.job_failed(job, error)
    else:
        comparison.graph.add_job(job)


def read_rows(comparison: Comparison) -> None:
    """Read the suite's data, once; a problem with it is an error of every gate."""
    if comparison.dataset is not None or comparison.data_error is not None:
        return
    asked_for = f"{comparison.suite.path} {comparison.suite.data!r}"
    key = f"read:{hashlib.sha256(asked_for.encode()).hexdigest()}"
    job = Job(key, "read the rows", Kind.READ, Place.HERE, partial(load, comparison), stored=True)
    comparison.graph.add_job(job)
    try:
        with quick_to_fail(comparison):
            comparison.dataset = job.work(Context(comparison.options), comparison.results)
    except ModelCompareError as error:
        if not make_up_rows(comparison, error):
            comparison.data_error = error
            return
    comparison.results[key] = comparison.dataset


def quick_to_fail(comparison: Comparison) -> AbstractContextManager[None]:
    """A smoke run does not wait for a hub that does not answer."""
    return offline_if_silent(comparison.suite.data) if comparison.options.smoke else nullcontext()


def make_up_rows(comparison: Comparison, error: ModelCompareError) -> bool:
    """Give a smoke run rows where its own lie on a network that does not answer; False where that is not why."""
    if not comparison.options.smoke or not source_unreachable(error):
        return False
    comparison.dataset = make_up_dataset(comparison.suite.data)
    comparison.warn(f"{error.where} {error.what}; made-up rows stand in")
    return True


def load(comparison: Comparison, context: Context, results: Results) -> Dataset:  # noqa: ARG001
    validation = needs_validation(comparison.suite.contestants.values())
    return load_dataset(
        comparison.suite.data, comparison.base, comparison.folders.downloads, need_validation=validation
    )


@dataclass(slots=True)
class Planner:
    """Plans contestants, each after those that it builds on."""

    comparison: Comparison
    needs: Needs
    strictly: bool
    under_way: list[str] = field(default_factory=list)

    def plan(self, name: str) -> None:
        """Plan one contestant, unless it is planned, done or has failed."""
        comparison, graph = self.comparison, self.comparison.graph
        if name in comparison.failures or (name in graph.contestants and not self.is_asked_again(name)):
            return
        try:
            graph.add(name, self.jobs_for(comparison.suite.contestants[name]))
        except ModelCompareError as error:
            if self.strictly:
                raise
            if not comparison.stands_aside(error):
                comparison.note_failure(name, error)

    def is_asked_again(self, name: str) -> bool:
        """Whether an LLM that was asked in part has to answer the rest."""
        comparison = self.comparison
        return name in comparison.answered and is_wanted_whole(comparison, name, self.needs.gates)

    def jobs_for(self, spec: ContestantSpec) -> ContestantJobs:
        comparison = self.comparison
        if spec.members and not comparison.options.smoke:
            return self.selection_of(spec)
        if spec.members:
            return ContestantJobs()
        assert comparison.dataset is not None
        desk = Desk(
            comparison.dataset,
            comparison.suite.data,
            comparison.base,
            comparison.options,
            comparison.store,
            partial(llm_options, comparison),
            self.jobs_of,
            self.looks_at,
        )
        planned = method_of(spec).jobs(spec, desk)
        if not self.strictly:
            require_libraries(spec, planned)
        return planned

    def looks_at(self, name: str) -> Looks | None:
        return looking(self.comparison, name, self.needs, self.jobs_compared_with)

    def jobs_compared_with(self, names: Iterable[str]) -> tuple[Job[Any], ...]:
        """Of contestants that may stand below the LLM in the suite; what cannot be run keeps nobody waiting."""
        contestants = self.comparison.graph.contestants
        for name in (wanted := sorted(with_members(names, self.comparison.suite.contestants))):
            self.plan(name)
        return tuple(job for name in wanted if name in contestants for job in contestants[name].jobs)

    def jobs_of(self, name: str) -> ContestantJobs:
        """The jobs of a contestant that another one builds on."""
        comparison = self.comparison
        if name not in comparison.suite.contestants:
            known = ", ".join(comparison.suite.contestants)
            raise ModelCompareError(f"there is no contestant `{name}`", fix=f"the suite has {known}")
        if name in self.under_way:
            circle = " → ".join((*self.under_way[self.under_way.index(name) :], name))
            raise ModelCompareError(f"these contestants build on each other in a circle: {circle}")
        self.under_way.append(name)
        self.plan(name)
        self.under_way.pop()
        if name in comparison.failures:
            raise comparison.failures[name]
        return comparison.graph.contestants[name]

    def selection_of(self, spec: ContestantSpec) -> ContestantJobs:
        """The choice between a sweep's members, when all of them have run."""
        comparison, graph = self.comparison, self.comparison.graph
        for member in spec.members:
            self.plan(member)
            if member in comparison.failures:
                raise comparison.failures[member]
        needs = tuple(job for member in spec.members for job in graph.contestants[member].results)
        key = hashlib.sha256(" ".join(job.key for job in needs).encode()).hexdigest()
        work = partial(select, comparison, spec)
        job: Job[Selection] = Job(f"select:{key}", "select", Kind.SELECT, Place.HERE, work, needs, contestant=spec.name)
        return ContestantJobs((job,), (job,))


def select(comparison: Comparison, spec: ContestantSpec, context: Context, results: Results) -> Selection:  # noqa: ARG001
    assert comparison.dataset is not None
    return best(spec.members, {name: comparison.runs[name] for name in spec.members}, comparison.dataset)


def require_libraries(spec: ContestantSpec, planned: ContestantJobs) -> None:
    """What must be computed with libraries that are not there is refused at once; what is stored needs none."""
    libraries = libraries_of(spec)
    computed = [job for job in planned.results if job.place is Place.DEVICE or job.kind is Kind.SMOKE]
    if not_installed(libraries) and any(not job.stored for job in computed):
        require(f"contestant `{spec.name}`", libraries)
