"""`--modelcompare-mlflow`: what a server is told, and that none of it changes a verdict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pytest_modelcompare.extras import is_installed
from pytest_modelcompare.pytest_plugin.tracking import tracking_uri
from tests.pytest_plugin.conftest import Project
from tests.reports.mlflow_double import Told, closed_port, mlflow_double

LONGEST_START_S = 240
EXTRA = "needs the extra `mlflow` (mlflow-skinny)"


def skip_without_mlflow() -> None:
    """Imports nothing: pytester takes back what a test imports, and half of MLflow would be left."""
    if not is_installed("mlflow"):
        pytest.skip(EXTRA)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    skip_without_mlflow()
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    with mlflow_double() as server:
        yield server


def test_a_session_is_a_run_with_one_below_it_for_each_contestant(project: Project, told: Told):
    project.suite("words.accuracy >= 0.90", "llm.accuracy >= 0.95")
    result = project.run(f"--modelcompare-mlflow={told.uri}")
    result.stdout.fnmatch_lines([f"modelcompare: logged to {told.uri}/#/experiments/1/runs/0"])
    parent, *nested = told.runs
    assert told.experiments == ["Spam"]
    assert parent["status"] == "FAILED"
    assert (parent["metrics"]["gates_pass"], parent["metrics"]["gates_fail"]) == (1, 1)
    assert parent["metrics"]["gates/llm.accuracy ge 0.95/value"] == 0.9
    assert parent["tags"]["gate.llm.accuracy ge 0.95"].startswith("fail: 0.900")
    assert json.loads(parent["artifacts"]["report.json"])["suites"][0]["name"] == "Spam"
    assert b"<!doctype html>" in parent["artifacts"]["report.html"].lower()[:200]
    assert [run["name"] for run in nested[:2]] == ["words", "llm"]
    assert {run["tags"]["mlflow.parentRunId"] for run in nested} == {"0"}
    assert nested[0]["params"]["ngrams"]
    assert nested[1]["metrics"]["accuracy"] == 0.9
    assert nested[1]["metrics"]["accuracy_low"] < 0.9 < nested[1]["metrics"]["accuracy_high"]


def config(uri: str | None = None, ini: str = "", **chosen: bool) -> pytest.Config:
    """As much of pytest's configuration as says where to log."""
    given = {"modelcompare_mlflow": uri, "modelcompare_smoke": False, "modelcompare_plan": False, **chosen}
    return cast("pytest.Config", SimpleNamespace(option=SimpleNamespace(**given), getini=lambda _: ini))


def test_without_the_extra_it_says_what_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pytest_modelcompare.extras.find_spec", lambda _: None)
    with pytest.raises(pytest.UsageError, match=r'--modelcompare-mlflow needs mlflow.*\n  pip install ".*\[mlflow\]"'):
        tracking_uri(config("http://localhost:5000"))


def test_the_address_may_come_from_mlflows_own_variable(monkeypatch: pytest.MonkeyPatch):
    skip_without_mlflow()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert tracking_uri(config("env")) == tracking_uri(config(ini="env")) == "http://tracking:5000"
    assert tracking_uri(config()) is None  # the variable alone switches nothing on


def test_env_without_the_variable_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(pytest.UsageError, match="MLFLOW_TRACKING_URI is not set"):
        tracking_uri(config("env"))


def test_a_plan_and_a_smoke_run_log_nothing():
    assert tracking_uri(config("http://tracking:5000", modelcompare_plan=True)) is None
    assert tracking_uri(config("http://tracking:5000", modelcompare_smoke=True)) is None


def test_a_server_that_is_down_is_a_warning_and_changes_no_verdict(project: Project):
    skip_without_mlflow()
    project.suite("words.accuracy >= 0.90")
    result = project.run(f"--modelcompare-mlflow=http://me:s3cret@127.0.0.1:{closed_port()}")
    result.stdout.fnmatch_lines(["modelcompare: warning: not logged to MLflow: http://127.0.0.1:*refused*"])
    assert "s3cret" not in result.stdout.str() + result.stderr.str()
    assert result.ret == 0


BROKEN_STORE = """
from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry

class ClientError(Exception):
    pass

def broken(*_, **__):
    raise ClientError("no bucket")

_artifact_repository_registry.register("mlflow-artifacts", broken)
"""


def test_a_store_whose_client_breaks_is_one_line_of_warning_and_changes_no_verdict(project: Project, told: Told):
    project.suite("words.accuracy >= 0.90")
    project.pytester.makeconftest(BROKEN_STORE)
    result = project.run(f"--modelcompare-mlflow={told.uri}")
    result.stdout.fnmatch_lines([f"modelcompare: warning: not logged to MLflow: {told.uri}: ClientError: no bucket"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    result.assert_outcomes(passed=1)
    assert result.ret == 0


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`mlflow server` as mlflow-skinny has it: all but its pages for a browser, once a few libraries are there."""
    for name in ("mlflow", "alembic", "flask", "flask_cors", "sqlalchemy"):
        pytest.importorskip(
            name, reason="needs the extra `test` (mlflow-skinny, alembic, flask, flask-cors, sqlalchemy)"
        )
    folder = tmp_path_factory.mktemp("mlflow")
    port = closed_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/m.db", "--artifacts-destination", str(folder / "kept")]
    # its consumers of background jobs are processes of their own, which load all of MLflow beside the server
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    known = {name: text for name, text in os.environ.items() if not name.startswith("MLFLOW_")}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env={**known, **quiet}, stdout=log, stderr=log, start_new_session=True
        ) as server,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):  # it ended by itself, which wait_for has said
                os.killpg(server.pid, signal.SIGTERM)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers, by the clock: a port that nobody listens on refuses at once, however slow the start."""
    end = time.monotonic() + LONGEST_START_S
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=10).close()
        except OSError:
            assert server.poll() is None, f"the server ended: {log.read_text()[-2000:]}"
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server does not answer: {log.read_text()[-2000:]}")


def test_a_real_server_shows_the_session(project: Project, real_server: str, monkeypatch: pytest.MonkeyPatch):
    skip_without_mlflow()
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "100")  # a server just started is slow where cores are few
    from mlflow.tracking import MlflowClient

    project.suite(
        "words.accuracy >= 0.90",
        "words.cost_per_1k <= llm.cost_per_1k / 2",
        "{gate: 'words.f1[\"ham\"] >= 0.5', name: ham}",
    )
    result = project.run(f"--modelcompare-mlflow={real_server}")
    result.stdout.fnmatch_lines([f"modelcompare: logged to {real_server}/#/experiments/1/runs/*"])
    client = MlflowClient(tracking_uri=real_server)
    experiment = client.get_experiment_by_name("Spam")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    parent = runs["Spam"]
    assert parent.data.metrics["gates/ham/holds"] == 1
    assert {one.path for one in client.list_artifacts(parent.info.run_id)} == {"report.html", "report.json"}
    assert runs["words"].data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert runs["words"].data.metrics["accuracy"] > 0.9
    assert runs["words"].info.status == "FINISHED"
