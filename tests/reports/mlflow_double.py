"""A server on loopback that speaks as much of MLflow's protocol as logging needs, and remembers what it was told."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Told:
    """What the server was told."""

    port: int = 0
    runs: list[dict[str, Any]] = field(default_factory=list)
    """name, tags, params, metrics, artifacts, status."""

    experiments: list[str] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    """`user:password` of requests."""

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if "/mlflow-artifacts/artifacts/" in path:
            number, name = path.rpartition("artifacts/")[2].split("/")
            self.runs[int(number)]["artifacts"][name] = body
            return 200, {}
        said = json.loads(body or b"{}")
        end = path.partition("?")[0].partition("/mlflow/")[2]
        if end == "experiments/get-by-name":
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"}
        if end == "experiments/create":
            self.experiments.append(said["name"])
            return 200, {"experiment_id": "1"}
        if end == "runs/create":
            tags = {one["key"]: one["value"] for one in said["tags"]}
            self.runs.append(
                {"name": said["run_name"], "tags": tags, "params": {}, "metrics": {}, "artifacts": {}, "status": ""}
            )
            return 200, {"run": self.run(len(self.runs) - 1)}
        if end == "runs/get":
            return 200, {"run": self.run(int(path.partition("run_id=")[2].partition("&")[0]))}
        run = self.runs[int(said["run_id"])]
        if end == "runs/update":
            run["status"] = said["status"]
            return 200, {"run_info": self.run(int(said["run_id"]))["info"]}
        assert end == "runs/log-batch", path
        for kind in ("params", "metrics"):
            run[kind] |= {one["key"]: one["value"] for one in said.get(kind, ())}
        return 200, {}

    def run(self, number: int) -> dict[str, Any]:
        where = f"mlflow-artifacts:/{number}"
        return {
            "info": {"run_id": str(number), "run_uuid": str(number), "experiment_id": "1", "artifact_uri": where},
            "data": {},
        }


@contextmanager
def mlflow_double() -> Iterator[Told]:
    """The server while it listens."""
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if (given := self.headers.get("Authorization", "")).startswith("Basic "):
                told.users.add(base64.b64decode(given[6:]).decode())
            status, said = told.answer(self.command, self.path, body)
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """Where nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
