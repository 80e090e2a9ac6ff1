"""The other end of a worker: start it, give it a training, hear how far it is, end it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from pytest_modelcompare.execution.local import LocalJob
from pytest_modelcompare.execution.options import Options
from pytest_modelcompare.execution.orders import Ended, Order, Tidings

SECONDS_TO_LEAVE = 5.0


@dataclass
class WorkerProcess:
    """A process of its own: its seeds, its memory and its end concern nobody else.

    It is started by its module's name and not by `multiprocessing`, which would run the
    program that called us once more, and goes when this process does.
    """

    base: Path
    options: Options
    threads: int
    process: subprocess.Popen[bytes] = field(init=False)
    connection: Connection[Any, Any] = field(init=False)
    lost: bool = field(default=False, init=False)
    """Whether nothing more was heard of it; that it has ended is seen a moment later."""

    def __post_init__(self) -> None:
        self.connection, its = Pipe()
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads), "TOKENIZERS_PARALLELISM": "false"}
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "pytest_modelcompare.execution.worker", str(its.fileno())],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the terminal is its master's
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        its.close()
        self.connection.send(sys.path)

    def run(self, job: LocalJob, tell: Callable[[Tidings], None]) -> Ended:
        """Wait for a training; a process that dies on it leaves it."""
        try:
            self.connection.send(Order(job, self.base, self.options))
            while isinstance(message := self.connection.recv(), Tidings):
                tell(message)
        except (EOFError, OSError):
            self.lost = True
            return Ended("left", why="its process ended")
        assert isinstance(message, Ended)
        return message

    @property
    def is_there(self) -> bool:
        return not self.lost and self.process.poll() is None

    def end(self) -> None:
        """It leaves as soon as it can, and removes what it wrote half."""
        self.process.terminate()

    def close(self) -> None:
        try:
            self.process.wait(SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.connection.close()
