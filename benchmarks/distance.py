"""How far a training step here is from what the machine's matrix units reach: `python -m benchmarks.distance`.

Options and data as of `benchmarks.training`. Printed are the machine's peak (the best of some large products, in fp32
and in what the training computes in), the time of a step of ours, the time of the matrix products in it, by torch's
profiler, and the share of the peak that the step reaches, counted on real tokens. A step can be no faster than its
products, and these no faster than the peak.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import dataclass

from benchmarks.gpu.world import training_flops
from benchmarks.training import BATCH, dataset_for, parsed, train_steps
from pytest_modelcompare.inference.device import machine_in_words
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.records.progress import Progress

WIDTH, PRODUCTS = 2048, 20
WARM, PROFILED = 12, 16
"""Steps that do not count, and those of which kernels are timed."""

MATRIX_PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm")


@dataclass(frozen=True)
class Distance:
    """What a step takes, and what it could."""

    peak_gflops: float
    """In the precision of the training."""

    step_ms: float
    products_ms: float
    share_of_peak: float
    precision: str

    def __str__(self) -> str:
        return (
            f"a step {self.step_ms:.1f} ms, {self.step_ms / self.products_ms:.2f} times its matrix products "
            f"({self.products_ms:.1f} ms); {self.share_of_peak:.0%} of the peak of {self.peak_gflops:.0f} GFLOP/s "
            f"({self.precision}, products of {WIDTH} x {WIDTH})"
        )


def peak_gflops(precision: str) -> float:
    """The best of some products of large square matrices."""
    import torch

    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    a, b = (torch.randn(WIDTH, WIDTH).to(kind) for _ in range(2))
    times = []
    for _ in range(PRODUCTS):
        began = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - began)
    return 2 * WIDTH**3 / min(times) / 1e9


def distance(dataset: Dataset, arguments: argparse.Namespace) -> Distance:
    """Train some steps, and look at them."""
    from torch.profiler import ProfilerActivity, profile

    assert dataset.train is not None
    per_epoch = math.ceil(len(dataset.train) / BATCH)
    steps = max(2 * per_epoch, WARM + 2 * PROFILED)
    times: list[float] = []
    last = [0.0]
    watched = profile(activities=[ProfilerActivity.CPU])

    def watch(progress: Progress) -> None:
        """Called after every step."""
        now = time.perf_counter()
        if WARM < progress.done <= steps - PROFILED:
            times.append(now - last[0])
        if progress.done == steps - PROFILED:
            watched.__enter__()
        last[0] = time.perf_counter()

    config, lengths, precision = train_steps(dataset, arguments, steps, watch)
    watched.__exit__(None, None, None)
    spent = sum(one.self_cpu_time_total for one in watched.key_averages() if one.key in MATRIX_PRODUCTS)
    a_step, peak = statistics.median(times), peak_gflops(precision)
    flops = training_flops(config, lengths) / per_epoch
    return Distance(peak, 1000 * a_step, spent / PROFILED / 1000, flops / a_step / (peak * 1e9), precision)


def main() -> None:
    arguments = parsed()
    dataset = dataset_for(arguments)
    print(f"{machine_in_words('cpu')}; fp32 peak {peak_gflops('fp32'):.0f} GFLOP/s")
    for _ in range(arguments.repeats):
        print(f"  {distance(dataset, arguments)}", flush=True)


if __name__ == "__main__":
    main()
