"""`--modelcompare-mlflow`: a session's figures and verdicts go to an MLflow server, beside the reports."""

from __future__ import annotations

import os

import pytest

from pytest_modelcompare.errors import TrackingError
from pytest_modelcompare.extras import NotInstalledError, require
from pytest_modelcompare.pytest_plugin.collected import Collected
from pytest_modelcompare.pytest_plugin.options import valued
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.printable import obeyed_by_none, printable

FROM_ENVIRONMENT = "env"
VARIABLE = "MLFLOW_TRACKING_URI"


def tracking_uri(config: pytest.Config) -> str | None:
    """The server that was asked for; None where none was, and in workers, smoke runs and plans.

    Raises:
        pytest.UsageError: `env` and no such variable, or the extra is not installed.
    """
    uri = str(valued(config, "mlflow"))
    idle = hasattr(config, "workerinput") or config.option.modelcompare_smoke or config.option.modelcompare_plan
    if not uri or idle:
        return None
    if uri == FROM_ENVIRONMENT and not (uri := os.environ.get(VARIABLE, "")):
        raise pytest.UsageError(f"--modelcompare-mlflow=env: {VARIABLE} is not set; set it, or give the address")
    try:
        require("--modelcompare-mlflow", ["mlflow"])
    except NotInstalledError as error:
        raise pytest.UsageError(str(error)) from None
    return uri


class Hooks:
    """Registered when a server was asked for."""

    def __init__(self, collected: Collected, options: Options, uri: str) -> None:
        self.collected = collected
        self.options = options
        self.uri = uri
        self.said: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Log what was found; a server that is down changes no verdict."""
        if (report := self.collected.report()) is None:
            return
        from pytest_modelcompare.reports.mlflow_address import server_at
        from pytest_modelcompare.reports.mlflow_server import log_session

        try:
            places = log_session(report, server_at(self.uri), self.options.session)
        except TrackingError as error:
            self.said.append(f"modelcompare: warning: not logged to MLflow: {error}")
        else:
            self.said += [f"modelcompare: logged to {place}" for place in places]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where it stands, below the summary."""
        for line in self.said:
            terminalreporter.write_line(obeyed_by_none(printable(line)), yellow="warning" in line)
