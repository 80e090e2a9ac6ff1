"""The time of a training step on a GPU, with every technique, with one taken away, with none."""

from __future__ import annotations

import statistics
import time
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

from benchmarks.gpu_models import MAX_LENGTH, World, some
from benchmarks.training import BATCH, DECAY, RATE, WARMUP
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.training.recipe import Recipe, Techniques


def techniques(world: World) -> dict[str, Any]:
    """Milliseconds per step of BERT-base: the median of the second half of a training, then over the repeats."""
    names = [one.name for one in fields(Techniques)]
    ways = {"all": Techniques(), **{f"without {name}": replace(Techniques(), **{name: False}) for name in names}}
    ways["none"] = Techniques(**dict.fromkeys(names, False))
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(world.arguments.repeats):
        for name, way in ways.items():
            times[name].append(step_ms(world, way))
    for name, found in times.items():
        print(f"  {name:<24} {statistics.median(found):7.2f} ms per step, {min(found):.2f} to {max(found):.2f}")
    return times


def step_ms(world: World, given: Any) -> float:
    from transformers import AutoModelForSequenceClassification

    from pytest_modelcompare.inference.precision import keep_head_in_fp32
    from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
    from pytest_modelcompare.training.loop import train
    from pytest_modelcompare.training.seeding import seeded

    folder, rows, moments = world.folders["bert"], world.dataset.train, list[float]()
    assert rows is not None
    device, n_labels = choose_device("auto", "auto"), len(world.dataset.labels)
    recipe = Recipe(9, RATE, BATCH, WARMUP, DECAY, 0, max_steps=world.arguments.steps, techniques=given)
    with seeded(0, device.kind):
        config = load_config(folder, "bert", num_labels=n_labels)
        encoder = load_tokenizer(folder, config, MAX_LENGTH, "bert")
        model = load_weights(AutoModelForSequenceClassification, folder, config, "safetensors", "bert").to(device.kind)
        keep_head_in_fp32(model, n_labels)
        some_rows = some(rows, 3_200)
        encoded = encoder.encode(some_rows.texts)
        train(model, encoder, encoded, some_rows.labels, device, recipe, lambda _: moments.append(time.perf_counter()))
    apart = [after - before for before, after in pairwise(moments)]
    return 1000 * statistics.median(apart[len(apart) // 2 :])
