"""Logging to an MLflow server: what must not leave, and what a refusal becomes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_modelcompare.errors import TrackingError
from pytest_modelcompare.records.report import ContestantReport, MetricReport, SessionReport, Spend, SuiteReport
from pytest_modelcompare.reports.mlflow_address import Server, server_at
from pytest_modelcompare.reports.mlflow_server import log_session
from tests.reports.mlflow_double import closed_port, mlflow_double

DATA = {"train_rows": 0, "test_rows": 0, "labels": [], "leaked_rows": 0, "warnings": []}
pytest.importorskip("mlflow", reason="needs the extra `mlflow` (mlflow-skinny)")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)


def a_report(tmp_path: Path, **metrics: MetricReport) -> SessionReport:
    row = ContestantReport("tfidf", None, stored=True, metrics=metrics)
    suite = SuiteReport(str(tmp_path / "s.modelcompare.yaml"), "Spam", DATA, {"words": row}, [])
    return SessionReport("2026-01-01T00:00:00+00:00", {}, Spend(), [suite])


def test_a_password_reaches_the_server_and_nothing_else(tmp_path: Path):
    with mlflow_double() as told:
        places = log_session(a_report(tmp_path), server_at(told.uri.replace("//", "//me:s%40cret@")), "session")
    assert told.users == {"me:s@cret"}
    assert places == [f"{told.uri}/#/experiments/1/runs/0"]
    assert "s@cret" not in repr(told.runs)
    assert "s%40cret" not in repr(told.runs)
    assert "MLFLOW_TRACKING_PASSWORD" not in os.environ


def test_an_address_that_a_client_gets_holds_no_password():
    server = server_at("https://me:s%40cret@host:5000/path")
    assert (server.uri, server.user, server.password) == ("https://host:5000/path", "me", "s@cret")
    assert "cret" not in repr(server)


def test_what_a_client_says_is_told_without_the_password():
    said = Server("https://host", "me", "s3cret").without_secrets("401 for https://me:s3cret@host, s3cret is wrong")
    assert said == "401 for https://host, *** is wrong"


def test_a_server_that_is_down_says_so_soon_and_without_the_password(tmp_path: Path):
    with pytest.raises(TrackingError, match="refused") as caught:
        log_session(a_report(tmp_path), server_at(f"http://me:s3cret@127.0.0.1:{closed_port()}"), "session")
    assert "s3cret" not in str(caught.value)


def test_a_database_address_is_kept_whole_and_shown_without_its_password():
    server = server_at("postgresql://me:s3cret@host/db")
    assert server.uri == "postgresql://me:s3cret@host/db"
    assert server.shown == "postgresql://host/db"
    said = "cannot open postgresql://me:s3cret@host/db\n(s3cret)"
    assert server.without_secrets(said) == "cannot open *** (***)"


class ClientError(Exception):
    """As boto3's: of no family but its own."""


@pytest.fixture
def a_broken_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Artifacts go to a store whose client raises what it likes."""
    from mlflow.tracking import MlflowClient

    def refuse(*_: object) -> None:
        raise ClientError(
            "An error occurred (AccessDenied) when calling PutObject: AKIAEXAMPLE\n has no right, "
            "see https://bucket.s3.amazonaws.com/0/report.html?X-Amz-Signature=abcdef"
        )

    monkeypatch.setattr(MlflowClient, "log_artifact", refuse)
    monkeypatch.setattr(MlflowClient, "log_text", refuse)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")


@pytest.mark.usefixtures("a_broken_store")
def test_whatever_an_artifact_stores_client_raises_is_one_line_without_secrets(tmp_path: Path):
    with mlflow_double() as told, pytest.raises(TrackingError) as caught:
        log_session(a_report(tmp_path), server_at(told.uri.replace("//", "//me:s3cret@")), "session")
    assert str(caught.value) == (
        f"{told.uri}: ClientError: An error occurred (AccessDenied) when calling PutObject: *** has no right, "
        "see https://bucket.s3.amazonaws.com/0/report.html"
    )


def test_an_error_of_our_own_is_no_refusal_of_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise ClientError("ours")

    monkeypatch.setattr("pytest_modelcompare.reports.mlflow_server.session_run", broken)
    with mlflow_double() as told, pytest.raises(ClientError, match="ours"):
        log_session(a_report(tmp_path), Server(told.uri), "session")


@pytest.mark.parametrize("answer", [(200, []), (403, {"error_code": "PERMISSION_DENIED", "message": "not yours"})])
def test_what_a_server_refuses_is_an_error_of_tracking(tmp_path: Path, answer: tuple[int, object]):
    with mlflow_double() as told:
        told.answer = lambda *_: answer  # type: ignore[method-assign, assignment]
        with pytest.raises(TrackingError):
            log_session(a_report(tmp_path), Server(told.uri), "session")
