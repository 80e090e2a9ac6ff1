"""Logging to an MLflow tracking server: one run per suite and session, a nested one per contestant.

The extra `mlflow` is the client alone (mlflow-skinny); it is imported when something is logged.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_modelcompare.execution.revision import revision_of
from pytest_modelcompare.records.report import SessionReport, SuiteReport
from pytest_modelcompare.reports.formats import FORMATS
from pytest_modelcompare.reports.mlflow_address import Server, refusals, surroundings
from pytest_modelcompare.reports.tracked import TrackedRun, contestant_run, session_run

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

ARTIFACTS = ("report.html", "report.json")

MOST_PARAMS = 100
MOST_METRICS = 1_000
"""What MLflow takes in one request."""


def log_session(report: SessionReport, server: Server, session: str) -> list[str]:
    """Log every suite.

    Returns:
        Where each stands, for people.

    Raises:
        TrackingError: the server cannot be reached or refuses; what it took so far stays there.
    """
    logs = [suite_log(report, suite, session) for suite in report.suites]
    with surroundings(server), refusals(server):
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=server.uri)
        return [log_suite(client, log, server) for log in logs]


@dataclass(frozen=True, slots=True)
class SuiteLog:
    """What is logged of one suite."""

    suite: str
    whole: TrackedRun
    contestants: list[TrackedRun]
    texts: dict[str, str]
    """By file name."""


def suite_log(report: SessionReport, suite: SuiteReport, session: str) -> SuiteLog:
    """All of it before anything is sent: what goes wrong here is ours, and nobody's refusal."""
    rows = {**suite.contestants, **suite.references}
    alone = replace(report, suites=[suite])
    return SuiteLog(
        suite.name,
        session_run(suite, revision_of(Path(suite.path).parent), session),
        [contestant_run(name, row) for name, row in rows.items()],
        {name: FORMATS[Path(name).suffix](alone) for name in ARTIFACTS},
    )


def log_suite(client: MlflowClient, log: SuiteLog, server: Server) -> str:
    """One suite: the verdicts with the report attached, below them the contestants."""
    experiment = experiment_of(client, log.suite)
    parent = begun(client, experiment, log.whole)
    for one in log.contestants:
        client.set_terminated(begun(client, experiment, one, parent), "FINISHED")
    for name, text in log.texts.items():
        client.log_text(parent, text.encode("utf-8", "replace").decode(), name)  # texts may hold half a character
    client.set_terminated(parent, "FAILED" if log.whole.failed else "FINISHED")
    if not server.uri.startswith("http"):
        return f"run {parent} of experiment {experiment} at {server.shown}"
    return f"{server.shown.rstrip('/')}/#/experiments/{experiment}/runs/{parent}"


def experiment_of(client: MlflowClient, suite: str) -> str:
    """The experiment that MLflow's variables name, else the one named as the suite; made where it is not there."""
    from mlflow.exceptions import MlflowException

    if known := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return known
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or suite
    if (found := client.get_experiment_by_name(name)) is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException:  # another job made it in between
            if (found := client.get_experiment_by_name(name)) is None:
                raise
    return str(found.experiment_id)


def begun(client: MlflowClient, experiment: str, one: TrackedRun, parent: str | None = None) -> str:
    """A new run with all that is known of it; its id."""
    from mlflow.entities import Metric, Param

    tags = {**one.tags, **({"mlflow.parentRunId": parent} if parent else {})}
    few, rest = dict(list(tags.items())[:MOST_PARAMS]), list(tags.items())[MOST_PARAMS:]
    run: str = client.create_run(experiment, tags=few, run_name=one.name).info.run_id
    now = int(time.time() * 1000)
    params = [Param(name, text) for name, text in one.params.items()]
    metrics = [Metric(name, value, now, 0) for name, value in one.metrics.items()]
    for start in range(0, len(params), MOST_PARAMS):
        client.log_batch(run, params=params[start : start + MOST_PARAMS])
    for start in range(0, len(metrics), MOST_METRICS):
        client.log_batch(run, metrics=metrics[start : start + MOST_METRICS])
    for name, text in rest:
        client.set_tag(run, name, text)
    return run
