"""Where jobs run that need a device: here, in processes of their own, or wherever an installed package runs them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from importlib.metadata import entry_points
from typing import Any, Protocol

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.records.jobs import Context, Job, Results
from pytest_modelcompare.records.options import Options

GROUP = "pytest_modelcompare_executors"
"""Entry points of this group name classes that make executors: `Class(options, most)`."""

BUILT_IN: Mapping[str, str] = {
    "here": "pytest_modelcompare.execution.executors.here:Here",
    "processes": "pytest_modelcompare.execution.executors.processes:Processes",
}


class LeftUndone(Exception):
    """The executor could not do the job, through no fault of the job's: it is done here, alone.

    Args:
        why: in words.
    """


class Executor(Protocol):
    """Runs jobs whose `place` is DEVICE. A job is an importable function over records: it may go anywhere."""

    def takes(self, job: Job[Any]) -> bool:
        """Whether it can run this job at all; what it does not take is run here."""

    def has_room(self, job: Job[Any]) -> bool:
        """Whether the job may begin now beside those that run."""

    def submit(self, job: Job[Any], context: Context, results: Results, *, more: bool) -> Future[Any]:
        """Begin a job.

        Args:
            results: of the jobs that it needs.
            more: whether others are waiting.

        Returns:
            its result to come, or the ModelCompareError or LeftUndone that it ends with.
        """

    def close(self) -> None:
        """End what runs, and wait until it has ended."""


def installed_executors() -> Mapping[str, str]:
    """Name → `module:class`, those of installed packages after the built-in ones."""
    return {**BUILT_IN, **{one.name: one.value for one in entry_points(group=GROUP)}}


def executor_named(name: str, options: Options, most: int) -> Executor:
    """A new executor.

    Args:
        most: jobs at once.

    Raises:
        ModelCompareError: none of that name is installed.
    """
    from pkgutil import resolve_name

    known = BUILT_IN if name in BUILT_IN else installed_executors()
    if name not in known:
        raise ModelCompareError(f"there is no executor `{name}`", fix=f"installed are {', '.join(known)}")
    made: Executor = resolve_name(known[name])(options, most)
    return made
