"""The time of a training step with every technique, with one taken away, with none, and compiled."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from benchmarks.gpu.world import MAX_LENGTH, World, first, flops_of, share_of_peak
from benchmarks.training import BATCH, DECAY, RATE, WARMUP
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.training.recipe import Recipe, Techniques

MODELS = ("minilm", "bert")
NONE = Techniques(**dict.fromkeys(Techniques.__slots__, False))


@dataclass(frozen=True, slots=True)
class Way:
    """How a training is computed."""

    techniques: Techniques
    compiled: bool = False
    """Through torch.compile, which records and fuses what it can."""


WAYS = {
    "all": Way(Techniques()),
    "without graphs": Way(replace(Techniques(), graphs=False)),
    "without unpadded": Way(replace(Techniques(), unpadded=False)),
    "without first_position": Way(replace(Techniques(), first_position=False)),
    "without fused": Way(replace(Techniques(), fused=False)),
    "none": Way(NONE),
    "none, compiled": Way(NONE, compiled=True),
}


def compare_techniques(world: World, peak_tflops: float | None) -> Iterator[dict[str, Any]]:
    """Milliseconds per step, and the share of the device's peak on real tokens, after each way."""
    found: dict[str, Any] = {}
    rows = BATCH * world.sizes.steps
    for model in MODELS:
        flops = flops_of(world, model, rows) / (rows / BATCH)
        found[model] = {}
        for name, way in WAYS.items():
            try:
                times, notes = step_times(world, model, way, rows)
            except Exception as error:  # noqa: BLE001  # a way that does not work is a finding, kept with its error
                found[model][name] = {"error": f"{type(error).__name__}: {error}"[:2_000]}
            else:
                middle = statistics.median(times)
                found[model][name] = {
                    "ms_per_step": 1_000 * middle, "fastest_ms": 1_000 * min(times), "notes": notes,
                    "share_of_peak": share_of_peak(flops, middle, peak_tflops),
                }  # fmt: skip
            yield found


def step_times(world: World, model_name: str, way: Way, rows: int) -> tuple[list[float], tuple[str, ...]]:
    """Seconds of every step of the second half of a training, and the training's notes.

    A way with recorded steps meets most shapes in a first epoch and replays them in a second.
    """
    from transformers import AutoModelForSequenceClassification

    from pytest_modelcompare.inference.precision import keep_head_in_fp32
    from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
    from pytest_modelcompare.training.loop import train
    from pytest_modelcompare.training.seeding import seeded_randomness

    folder, moments, device = world.folders[model_name], list[float](), choose_device("auto", "auto")
    recipe = Recipe(2, RATE, BATCH, WARMUP, DECAY, 0, techniques=way.techniques)
    some, n_labels = first(world.dataset.train, rows), len(world.dataset.labels)
    with seeded_randomness(0, device.kind):
        config = load_config(folder, model_name, num_labels=n_labels)
        encoder = load_tokenizer(folder, config, MAX_LENGTH, model_name)
        model = load_weights(AutoModelForSequenceClassification, folder, config, "safetensors", model_name)
        keep_head_in_fp32(model.to(device.kind), n_labels)
        if way.compiled:
            model.compile(dynamic=True)
        encoded = encoder.encode(some.texts)
        trained = train(
            model, encoder, encoded, some.labels, device, recipe, lambda _: moments.append(time.perf_counter())
        )
    apart = [after - before for before, after in pairwise(moments)]
    return apart[len(apart) // 2 :], trained.notes
