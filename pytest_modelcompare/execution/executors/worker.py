"""A process that works for another: `python -m pytest_modelcompare.execution.executors.worker DESCRIPTOR`."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.executors.orders import Ended, Failure, Order, Tidings, Usage
from pytest_modelcompare.inference.device import device_kind
from pytest_modelcompare.inference.memory import MIB
from pytest_modelcompare.records.jobs import Context
from pytest_modelcompare.records.progress import Progress, Watch

SECONDS_BETWEEN_TIDINGS = 0.25

CONTEXT_MB = 600.0
"""What a process takes on a CUDA device beside torch's allocator; about .5 GB on recent drivers, rounded up."""


def main() -> None:
    """Carry out orders until no more can come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever gave the orders ends this process
    signal.signal(signal.SIGTERM, leave)
    connection = Connection(int(sys.argv[1]))
    sys.path[:] = connection.recv()
    import transformers  # noqa: F401  # seconds, while the first order may still be on its way

    while True:
        try:
            order = connection.recv()
        except EOFError:
            return
        connection.send(carried_out(order, connection))
        let_go(order)


def leave(*_: Any) -> NoReturn:
    """What is written half is removed on the way."""
    sys.exit(143)


@dataclass(frozen=True, slots=True)
class Teller:
    """Passes on how far the work is."""

    connection: Connection[Any, Any]
    device_kind: str

    @contextmanager
    def job(self, title: str) -> Iterator[Watch]:  # noqa: ARG002
        said = 0.0

        def tell(progress: Progress) -> None:
            nonlocal said
            if progress.milestone or time.monotonic() - said >= SECONDS_BETWEEN_TIDINGS:
                self.connection.send(Tidings(progress, usage(self.device_kind)))
                said = time.monotonic()

        yield tell


def carried_out(order: Order, connection: Connection[Any, Any]) -> Ended:
    """Do the job, unless memory does not suffice beside others or something unforeseen happens: then alone."""
    from pytest_modelcompare.training.step import CrowdedError

    teller = Teller(connection, device_kind(order.options.device))
    try:
        result = order.work(Context(order.options, teller, shared_device=True), order.results)
    except ModelCompareError as error:
        if lacked_memory(error.__cause__):
            return Ended("left", why=str(error))
        return Ended("failed", failure=Failure.of(error))
    except (CrowdedError, RuntimeError) as error:  # torch's own errors are RuntimeErrors
        return Ended("left", why=f"{type(error).__name__}: {error}")
    return Ended("done", result)


def lacked_memory(error: BaseException | None) -> bool:
    from pytest_modelcompare.training.step import out_of_memory

    return error is not None and out_of_memory(error)


def usage(kind: str) -> Usage | None:
    """None where memory is not the device's own."""
    if kind != "cuda":
        return None
    import torch

    free, _ = torch.cuda.mem_get_info()
    return Usage(free / MIB, torch.cuda.max_memory_reserved() / MIB + CONTEXT_MB)


def let_go(order: Order) -> None:
    """Give the memory of what was trained back, for others."""
    gc.collect()
    if device_kind(order.options.device) == "cuda":
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


if __name__ == "__main__":
    main()
