"""Where an MLflow server is, and what its client is told by variables: nothing of a password is ever printed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pytest_modelcompare.errors import TrackingError
from pytest_modelcompare.records.addresses import without_user

PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # MLflow's own seven, each later than the one before, take minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",  # seconds; MLflow's own is 120
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""Set for the time of logging, where the environment does not say otherwise."""


SECRET = re.compile(r"SECRET|TOKEN|PASSWORD|CREDENTIAL|CONNECTION_STRING|_KEY$|_KEY_ID$")
"""In the name of a variable that a store's client may read, and its error repeat."""

SHORTEST_SECRET = 6
SIGNED = re.compile(r"(://[^?\s]*)\?[^\s'\")]*")
"""Addresses of stored files carry their key after the question mark."""

LONGEST_REASON = 500


def secrets_in(environment: Mapping[str, str]) -> list[str]:
    """Values of variables that hold secrets, the longest first."""
    found = {text for name, text in environment.items() if SECRET.search(name.upper()) and len(text) >= SHORTEST_SECRET}
    return sorted(found, key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class Server:
    """Where to log."""

    uri: str
    """Without a user and a password, where it is an http address."""

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    """Both of an http address, or still inside another."""

    @property
    def shown(self) -> str:
        """The address as it may be printed."""
        return without_user(self.uri)

    def without_secrets(self, text: str) -> str:
        """What a library says of a failure, on one line, without what must not be printed."""
        own = (self.uri if self.uri != self.shown else "", self.password)
        for secret in (*filter(None, own), *secrets_in(os.environ)):
            text = text.replace(secret, "***")
        return SIGNED.sub(r"\1", without_user(" ".join(text.split())))


def server_at(uri: str) -> Server:
    """A user and a password in an http address go the way of MLflow's own variables, out of every message."""
    parts = urlsplit(uri)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme in ("http", "https"):
        uri = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return Server(uri, user, password)


@contextmanager
def surroundings(server: Server) -> Iterator[None]:
    """MLflow is configured by variables alone; afterwards they are as they were."""
    wanted = {**PATIENCE, **credentials(server)}
    added = {name: text for name, text in wanted.items() if text and name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def credentials(server: Server) -> Mapping[str, str]:
    """For an http address; others carry theirs themselves."""
    known = {"MLFLOW_TRACKING_USERNAME": server.user, "MLFLOW_TRACKING_PASSWORD": server.password}
    return known if server.uri.startswith("http") else {}


@contextmanager
def refusals(server: Server) -> Iterator[None]:
    """Whatever MLflow, its connection or its artifact store raises, in our words. Nothing but their calls belongs here.

    Raises:
        TrackingError: instead.
    """
    try:
        yield
    # MLflow hands on what its stores raise, and these are plugins (entry points `mlflow.artifact_repository`): the
    # errors of boto3, of Azure's and of Google's client have no base in common but this one
    except Exception as error:
        said = server.without_secrets(str(error))
        kind = "" if type(error).__module__.startswith("mlflow.") else type(error).__name__
        raise TrackingError(": ".join(filter(None, (kind, said)))[:LONGEST_REASON], where=server.shown) from error
