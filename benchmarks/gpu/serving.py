"""One row at a time and in batches: a model as it is served here, against a transformers pipeline in fp16."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.training import on_cuda
from benchmarks.gpu.world import World
from benchmarks.training import BATCH
from pytest_modelcompare.inference.stopwatch import measure_latencies, measure_throughput
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.local import Work

MODELS = ("minilm", "bert")


@dataclass
class Served:
    """A way to answer, as the clock takes it."""

    answer: Callable[[list[str]], object]
    batch_sizes: tuple[int, ...] = (32, 128, 256)

    def predict(self, texts: Sequence[str]) -> object:
        return self.answer(list(texts))

    def tokens(self, texts: Sequence[str]) -> int | None:  # noqa: ARG002  # part of `Timed`
        return None


def compare_serving(world: World) -> Iterator[dict[str, Any]]:
    """Milliseconds of a row (median and p95 over interleaved blocks) and rows per second, after each model."""
    found: dict[str, Any] = {}
    blocks = 2 if world.sizes.tiny else 20
    for model in MODELS:
        with tempfile.TemporaryDirectory() as name:
            ways = served(world, model, Path(name))
            texts, given = world.dataset.test.texts, {"session": "one", "machine": "this"}
            latencies = measure_latencies(ways, texts, **given, blocks=blocks, seconds_limit=6.0)
            speeds = measure_throughput(ways, texts, **given, blocks=blocks // 2, seconds_limit=6.0)
        found[model] = {
            way: {
                "latency_p50_ms": float(np.median(latencies[way].milliseconds)),
                "latency_p95_ms": float(np.percentile(latencies[way].milliseconds, 95)),
                "rows_per_s": float(statistics.median(speeds[way].rows_per_s)),
                "batch": speeds[way].batch_size,
            }
            for way in ways
        }
        yield found


def served(world: World, model: str, folder: Path) -> dict[str, Served]:
    import torch
    from transformers import pipeline

    fine_tune, settings = FineTune(), FineTuneSettings(model=str(world.folders[model]), epochs=1, batch_size=BATCH)
    (folder / "run").mkdir()
    work = Work(world.few(4 * BATCH), 0, "auto", folder / "run", folder)
    fine_tune.run(settings, work)
    ours = fine_tune.load(folder / "run", settings, work)
    half, device = (torch.float16, 0) if on_cuda() else (torch.float32, "cpu")
    theirs = pipeline("text-classification", str(folder / "run" / "model"), dtype=half, device=device)

    def by_pipeline(texts: list[str]) -> object:
        return theirs(texts, truncation=True, batch_size=len(texts))

    return {"ours": Served(ours.predict), "pipeline": Served(by_pipeline)}
