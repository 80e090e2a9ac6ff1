"""A server on loopback while a test runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, TypeVar


class Listener(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


class Service(Protocol):
    """What speaks a protocol: its `http` listens."""

    http: Listener


AnyService = TypeVar("AnyService", bound=Service)


def listener(service: object, handler: type[BaseHTTPRequestHandler]) -> Listener:
    """A free port, whose requests find the service as `self.service`."""
    return Listener(("127.0.0.1", 0), type("Handler", (handler,), {"service": service}))


@contextmanager
def running(service: AnyService) -> Iterator[AnyService]:
    """The service, answering until the block ends."""
    threading.Thread(target=service.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield service
    finally:
        service.http.shutdown()
        service.http.server_close()
