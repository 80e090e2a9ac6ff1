"""Whole training steps recorded once per shape and launched at once: on CUDA, where launching kernels takes longest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_modelcompare.training.cuda.varlen import (
    Shape,
    Varlen,
    lay_out_rows,
    longest_row,
    model_input,
    shape_for,
    varlen_packing,
)
from pytest_modelcompare.training.minibatches import Rows
from pytest_modelcompare.training.recipe import Recipe
from pytest_modelcompare.training.step import Stepper

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


MOST = 24
"""Recorded steps; they share their memory, but each takes a moment to record."""

CLOSE = 0.01
"""A replayed loss may differ this much, and this part, from one computed as usual."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a step reads: on the host, or where it is recorded, always at the same place."""

    numbers: torch.Tensor
    """Ids, positions and where rows begin and end, one after the other, so that they travel at once."""

    labels: torch.Tensor
    weights: torch.Tensor

    @property
    def parts(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.numbers, self.labels, self.weights

    def take(self, other: Inputs) -> None:
        for mine, its in zip(self.parts, other.parts, strict=True):
            mine.copy_(its, non_blocking=True)


@dataclass
class Graphs:
    """The recorded steps of one training."""

    layout: Varlen
    labels: NDArray[Any]
    """Shape (n, …)."""

    weights: NDArray[np.float32]
    """Shape (n,)."""

    most_rows: int
    """Of one step."""

    record: Recorder
    recorded: dict[Shape, tuple[Inputs, Callable[[], torch.Tensor]]] = field(default_factory=dict)
    seen: set[Shape] = field(default_factory=set)
    trusted: bool | None = None
    """None: not tried yet."""

    staged: tuple[Rows, Inputs] | None = None

    def step(self, stepper: Stepper, rows: Rows, coming: Rows | None) -> float | None:
        """Take a step by replaying it, and lay out the rows of the next meanwhile; None where it must be taken as
        usual: more than is computed at once, a shape that was not seen before, or the device refuses to record.
        """
        if self.count_tokens(rows) > stepper.budget or self.trusted is False:
            return None
        shape = self.shape_of(rows)
        if shape not in self.recorded and not self.record_if_seen(stepper, shape, rows):
            return None
        inputs, replay = self.recorded[shape]
        inputs.take(self.staged_inputs(rows))
        loss = replay()
        self.staged = None if coming is None else (coming, self.inputs(coming, self.shape_of(coming)))
        return float(loss.item())

    def count_tokens(self, rows: Rows) -> int:
        return int(self.layout.encoded.lengths[rows].sum())

    def shape_of(self, rows: Rows) -> Shape:
        return shape_for(len(rows), self.most_rows, self.count_tokens(rows))

    def staged_inputs(self, rows: Rows) -> Inputs:
        if self.staged is not None and self.staged[0] is rows:
            return self.staged[1]
        return self.inputs(rows, self.shape_of(rows))

    def inputs(self, rows: Rows, shape: Shape) -> Inputs:
        """On the host; made-up rows have the first row's label and no weight."""
        numbers = lay_out_rows(self.layout.encoded, rows, self.layout.first_number, shape)
        filled = np.concatenate([rows, np.full(shape.rows - len(rows), rows[0])])
        weights = np.where(np.arange(shape.rows) < len(rows), self.weights[filled], 0) / self.weights[rows].sum()
        found = (np.concatenate(list(numbers.values())), self.labels[filled], weights.astype(np.float32))
        tensors = [torch.from_numpy(one) for one in found]
        return Inputs(*(one.pin_memory() if self.layout.kind == "cuda" else one for one in tensors))

    def record_if_seen(self, stepper: Stepper, shape: Shape, rows: Rows) -> bool:
        """Record a shape that was seen before; the first time, the step itself warms up what a recording needs."""
        if shape not in self.seen or len(self.recorded) == MOST:
            self.seen.add(shape)
            return False
        try:
            if self.trusted is None:
                self.trusted = self.replay_is_right(stepper, shape, rows)
            if self.trusted:
                self.recorded[shape] = self.record_work(shape, rows, stepper.whole_step)
        except RuntimeError as error:  # CUDA's own, out of memory among them
            self.trusted = False
            stepper.optimizer.zero_grad(set_to_none=True)
            stepper.notes.append(f"steps were not recorded as CUDA graphs: {str(error).partition(chr(10))[0]}")
        return shape in self.recorded

    def record_work(
        self, shape: Shape, rows: Rows, work: Callable[..., torch.Tensor]
    ) -> tuple[Inputs, Callable[[], torch.Tensor]]:
        """`work` on a model's input, labels and weights that stay where they are."""
        inputs = Inputs(*(one.to(self.layout.kind, copy=True) for one in self.inputs(rows, shape).parts))
        numbers = lay_out_rows(self.layout.encoded, rows, self.layout.first_number, shape)
        sizes = {name: len(one) for name, one in numbers.items()}
        longest = longest_row(self.layout.encoded.lengths, shape)

        def recorded() -> torch.Tensor:
            there = dict(zip(sizes, torch.split(inputs.numbers, list(sizes.values())), strict=True))
            self.layout.forward.packing = varlen_packing(there, longest, self.layout.kernel)
            return work(model_input(there), inputs.labels, inputs.weights)

        return inputs, self.record(recorded)

    def replay_is_right(self, stepper: Stepper, shape: Shape, rows: Rows) -> bool:
        """Whether losses recorded with some rows are, replayed with others, theirs; dropout off."""
        others = rows[::-1][: max(1, len(rows) // 2)]
        labels, batch = torch.from_numpy(self.labels[others]).to(self.layout.kind), self.layout.batch(others)
        stepper.model.eval()
        try:
            with torch.no_grad():
                with waiting_for_nothing(self.layout.kind):
                    expected = stepper.row_losses(batch, labels)
                inputs, replay = self.record_work(shape, rows, lambda batch, its, _: stepper.row_losses(batch, its))
                inputs.take(self.inputs(others, shape))
                found = replay()[: len(others)]
        finally:
            stepper.model.train()
        if bool(((found - expected).abs() <= CLOSE * (1 + expected.abs())).all()):
            return True
        stepper.notes.append("steps were not recorded as CUDA graphs: a replayed loss was not that of its rows")
        return False


def graphs_for(stepper: Stepper, recipe: Recipe) -> Graphs | None:
    """Where steps can be recorded: on a device that can, without padding (so that shapes repeat), and in bf16 (in
    fp16, whether a step is taken at all depends on its gradients).
    """
    recorder = RECORDERS.get(stepper.device.kind)
    if recorder is None or not recipe.techniques.graphs or not isinstance(stepper.layout, Varlen):
        return None
    if stepper.scaler.is_enabled():
        return None
    return Graphs(stepper.layout, stepper.labels, stepper.weights, recipe.rows_per_step, recorder())
