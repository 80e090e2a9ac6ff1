"""Work on a CUDA device recorded once and launched at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

Recorder = Callable[[Callable[[], torch.Tensor]], Callable[[], torch.Tensor]]
"""From work on tensors that stay where they are, to what does it again and gives its result."""


class CudaGraphs:
    """The `Recorder` for CUDA. Recorded works must not run at the same time: they share their memory."""

    def __init__(self) -> None:
        self.pool = torch.cuda.graph_pool_handle()
        self.recorded: list[torch.cuda.CUDAGraph] = []
        """Kept while others may come: torch gives up the memory they share when the last of them goes, and refuses to
        record into it again."""

    def __call__(self, work: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        graph, random = torch.cuda.CUDAGraph(), torch.cuda.default_generators[torch.cuda.current_device()]
        spare = random.clone_state()
        try:
            # other threads of this process may use the device meanwhile
            with torch.cuda.graph(graph, pool=self.pool, capture_error_mode="thread_local"):
                found = work()
        except RuntimeError:
            random.graphsafe_set_state(spare)  # the one that was recorded with refuses to be used outside
            raise
        self.recorded.append(graph)

        def replay() -> torch.Tensor:
            graph.replay()
            return found

        return replay


RECORDERS: dict[str, Callable[[], Recorder]] = {"cuda": CudaGraphs}
"""Device → what records work there."""


@contextmanager
def waiting_for_nothing(kind: str) -> Iterator[None]:
    """On CUDA, what would wait for the device raises a RuntimeError. A recording that fails on it leaves traces."""
    if kind != "cuda":
        yield
        return
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)
