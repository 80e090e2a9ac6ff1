"""A process that trains for another: `python -m pytest_modelcompare.execution.worker DESCRIPTOR`, Linux and macOS."""

from __future__ import annotations

import gc
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.local import make_run
from pytest_modelcompare.execution.orders import SHARED_NOTE, Ended, Failure, Order, Tidings, Usage
from pytest_modelcompare.inference.device import device_kind
from pytest_modelcompare.inference.memory import MIB
from pytest_modelcompare.records.progress import Progress
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.runs import RunStore

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


def carried_out(order: Order, connection: Connection[Any, Any]) -> Ended:
    """Make the run, unless memory does not suffice beside others or something unforeseen happens: then alone."""
    from pytest_modelcompare.training.step import CrowdedError

    kind, said = device_kind(order.options.device), 0.0

    def tell(progress: Progress) -> None:
        nonlocal said
        if progress.milestone or time.monotonic() - said >= SECONDS_BETWEEN_TIDINGS:
            connection.send(Tidings(progress, usage(kind)))
            said = time.monotonic()

    store = RunStore(StoreFolders(order.options.store))
    try:
        _, made = make_run(order.job, order.base, store, order.options, tell, notes=(SHARED_NOTE,), shared_device=True)
    except ModelCompareError as error:
        if lacked_memory(error.__cause__):
            return Ended("left", why=str(error))
        return Ended("failed", Failure.of(error))
    except (CrowdedError, RuntimeError) as error:  # torch's own errors are RuntimeErrors
        return Ended("left", why=f"{type(error).__name__}: {error}")
    return Ended("made" if made else "found")


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
