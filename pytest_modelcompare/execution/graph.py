"""The jobs of one suite: what they are, which contestants they are for, what is left of them to be done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_modelcompare.methods.base import ContestantJobs
from pytest_modelcompare.records.jobs import Job


@dataclass(slots=True)
class Graph:
    """Jobs in the order in which they begin where nothing else decides."""

    jobs: dict[str, Job[Any]] = field(default_factory=dict)
    """By key; one that several contestants need is there once."""

    contestants: dict[str, ContestantJobs] = field(default_factory=dict)
    users: dict[str, list[str]] = field(default_factory=dict)
    """Key → the contestants that a job is for, the first of them planned it; jobs of the whole suite have none."""

    def add(self, contestant: str, planned: ContestantJobs) -> None:
        """Plan a contestant's jobs; what another one planned already is shared with it."""
        self.contestants[contestant] = planned
        for job in planned.jobs:
            self.jobs.setdefault(job.key, job)
            users = self.users.setdefault(job.key, [])
            users += [] if contestant in users else [contestant]

    def add_job(self, job: Job[Any]) -> None:
        """A job that is no contestant's."""
        self.jobs.setdefault(job.key, job)

    def required(self) -> list[Job[Any]]:
        """What has to be run: of a result that is stored not what it was made of, unless something else needs it."""
        ends = [job for planned in self.contestants.values() for job in planned.results]
        ends += [job for job in self.jobs.values() if job.key not in self.users]
        wanted = dict.fromkeys(job.key for job in with_needs(ends))
        return [job for key, job in self.jobs.items() if key in wanted]

    def keys_for(self, names: Collection[str]) -> set[str]:
        """The jobs of these contestants, and those that they need."""
        jobs = [job for name in names if name in self.contestants for job in self.contestants[name].jobs]
        return {job.key for job in with_needs(jobs)}

    def users_of(self, key: str) -> list[str]:
        """The contestants that a job is for."""
        return self.users.get(key, [])


def with_needs(jobs: Iterable[Job[Any]]) -> Iterator[Job[Any]]:
    """These jobs and, of those that are not stored, what they need."""
    seen: set[str] = set()
    left = list(jobs)
    while left:
        job = left.pop()
        if job.key not in seen:
            seen.add(job.key)
            yield job
            left += () if job.stored else job.needs
