"""Jobs one after the other, in this process."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.records.jobs import Context, Job, Results
from pytest_modelcompare.records.options import Options


@dataclass
class Here:
    """Each job ends before `submit` returns."""

    options: Options | None = None
    most: int = 1

    def takes(self, job: Job[Any]) -> bool:  # noqa: ARG002
        return True

    def has_room(self, job: Job[Any]) -> bool:  # noqa: ARG002
        return True

    def submit(self, job: Job[Any], context: Context, results: Results, *, more: bool) -> Future[Any]:  # noqa: ARG002
        future: Future[Any] = Future()
        try:
            future.set_result(job.work(context, results))
        except ModelCompareError as error:
            future.set_exception(error)
        return future

    def close(self) -> None: ...
