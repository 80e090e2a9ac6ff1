"""Jobs at once, each in a process of its own, as many as the device's memory holds."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
from typing import Any

from pytest_modelcompare.execution.executors import LeftUndone
from pytest_modelcompare.execution.executors.admission import Admission, ByMemory
from pytest_modelcompare.execution.executors.orders import Ended, Order, Tidings
from pytest_modelcompare.inference.cores import cpu_count
from pytest_modelcompare.records.jobs import Context, Job, Results
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Watcher

SECONDS_TO_LEAVE = 5.0


@dataclass
class WorkerProcess:
    """A process of its own: its seeds, its memory and its end concern nobody else.

    It is started by its module's name and not by `multiprocessing`, which would run the
    program that called us once more, and goes when this process does.
    """

    threads: int
    process: subprocess.Popen[bytes] = field(init=False)
    connection: Connection[Any, Any] = field(init=False)
    lost: bool = field(default=False, init=False)
    """Whether nothing more was heard of it; that it has ended is seen a moment later."""

    def __post_init__(self) -> None:
        self.connection, its = Pipe()
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads), "TOKENIZERS_PARALLELISM": "false"}
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "pytest_modelcompare.execution.executors.worker", str(its.fileno())],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the terminal is its master's
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        its.close()
        self.connection.send(sys.path)

    def run(self, order: Order, key: str, admission: Admission, watcher: Watcher) -> Ended:
        """Wait for a job; a process that dies on it leaves it, and so is one left that cannot be sent."""
        try:
            sent = ForkingPickler.dumps(order)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            return Ended("left", why=f"it cannot be sent to another process: {error}")
        try:
            self.connection.send_bytes(sent)
            with watcher.job(order.title) as progress:
                while isinstance(message := self.connection.recv(), Tidings):
                    admission.heard(key, message)
                    progress(message.progress)
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


class Processes:
    """Takes jobs of which it is known what else takes as much memory."""

    def __init__(self, options: Options, most: int, admission: Admission | None = None) -> None:
        self.options, self.most = options, most
        self.admission = ByMemory(most) if admission is None else admission
        self.threads = max(1, cpu_count() // most)
        self.workers: list[WorkerProcess] = []
        self.idle: list[WorkerProcess] = []
        self.n_running = 0
        self.pool = ThreadPoolExecutor(most, thread_name_prefix="modelcompare-job")
        self.lock = threading.Lock()

    def takes(self, job: Job[Any]) -> bool:
        return bool(job.memory_like) and sys.platform != "win32"

    def has_room(self, job: Job[Any]) -> bool:
        return self.n_running < self.most and self.admission.admits(job.memory_like)

    def submit(self, job: Job[Any], context: Context, results: Results, *, more: bool) -> Future[Any]:
        with self.lock:
            worker = self.idle.pop(0) if self.idle else self.hired()
            if more and not self.idle and len(self.workers) < self.most:
                self.idle.append(self.hired())  # it imports what it needs while others train
            self.n_running += 1
        self.admission.begin(job.key, job.memory_like)
        return self.pool.submit(
            self.run, worker, job, Order(job.title, job.work, context.options, results), context.watcher
        )

    def hired(self) -> WorkerProcess:
        self.workers.append(WorkerProcess(self.threads))
        return self.workers[-1]

    def run(self, worker: WorkerProcess, job: Job[Any], order: Order, watcher: Watcher) -> Any:
        """Wait for one job. Raises what it failed with, or LeftUndone."""
        ended = Ended("left")
        try:
            ended = worker.run(order, job.key, self.admission, watcher)
        finally:
            self.admission.end(job.key)
            with self.lock:
                self.n_running -= 1
                if worker.is_there:
                    self.idle.insert(0, worker)
        if ended.failure is not None:
            raise ended.failure.error()
        if ended.how == "left":
            raise LeftUndone(ended.why)
        return ended.result

    def close(self) -> None:
        """Also on an interrupt: threads that wait for a worker go on when it is gone."""
        for worker in self.workers:
            worker.end()
        for worker in self.workers:
            worker.close()
        self.pool.shutdown()
