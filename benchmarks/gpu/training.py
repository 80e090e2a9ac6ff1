"""One training at a time: transformers' Trainer in fp16, every text padded, against the contestant `fine_tune`."""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.gpu.world import MAX_LENGTH, World, flops_of, seconds_of, share_of_peak
from benchmarks.training import BATCH, ours, textbook
from pytest_modelcompare.inference.memory import PeakMemory
from pytest_modelcompare.records import Dataset
from pytest_modelcompare.records.progress import Progress

MODELS = ("minilm", "bert", "distilbert")


def given(epochs: float) -> Namespace:
    """What `benchmarks.training` asks of its command line."""
    return Namespace(epochs=epochs, max_length=MAX_LENGTH, precision="auto")


Way = Callable[[Dataset, int], float]
"""From rows and a seed to the accuracy on the test rows."""


def compare_trainings(world: World, peak_tflops: float | None) -> Iterator[dict[str, Any]]:
    """What was found so far, after each turn: seconds from text to scored test rows, in turns, medians, peak memory.

    A first turn of each, with few rows, warms the device up.
    """
    found: dict[str, Any] = {}
    for model in MODELS:
        ways = ways_of(world, model)
        for way in ways.values():
            way(world.few(4 * BATCH), 0)
        times: dict[str, list[float]] = {name: [] for name in ways}
        stages: list[dict[str, float]] = []
        accuracy: dict[str, list[float]] = {name: [] for name in ways}
        memory: dict[str, float] = {}
        for seed in range(world.sizes.turns):
            for name, way in ways.items():
                began = time.perf_counter()
                with PeakMemory("cuda" if on_cuda() else "cpu") as peak:
                    seconds, right = seconds_of(lambda way=way, seed=seed: way(world.dataset, seed))
                times[name].append(seconds)
                accuracy[name].append(right)
                memory[name] = peak.mb
            stages.append(stages_of(began, seconds))
            slow, fast = (statistics.median(times[name]) for name in ("textbook", "ours"))
            flops = world.sizes.epochs * flops_of(world, model)
            found[model] = {
                "seconds": times, "accuracy": accuracy, "peak_memory_mib": memory, "stages_of_ours": stages,
                "ratio": slow / fast, "share_of_peak": share_of_peak(flops, fast, peak_tflops),
            }  # fmt: skip
            yield found


def on_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def ways_of(world: World, model: str) -> dict[str, Way]:
    folder, arguments = world.folders[model], given(world.sizes.epochs)
    return {
        "textbook": lambda data, seed: textbook(data, seed, arguments, folder),
        "ours": lambda data, seed: ours(data, seed, arguments, str(folder), note_step),
    }


STEPS: list[tuple[float, Progress]] = []
"""When each step of our last training ended."""


def note_step(progress: Progress) -> None:
    if progress.done <= 1:
        STEPS.clear()
    STEPS.append((time.perf_counter(), progress))


def stages_of(began: float, seconds: float) -> dict[str, float]:
    """Seconds before the first step ended, of the first and of the other epochs, and after the last step."""
    moments = [moment for moment, progress in STEPS if progress.total == STEPS[0][1].total]
    middle = moments[next(at for at, (_, progress) in enumerate(STEPS) if progress.milestone)]
    training = next(at for at, (_, one) in enumerate(STEPS) if one.done == one.total)
    return {
        "before": moments[0] - began, "first epoch": middle - moments[0],
        "other epochs": moments[training] - middle, "after": began + seconds - moments[training],
    }  # fmt: skip
