"""Training on one GPU against the textbook recipe: `python -m benchmarks.gpu_training`; says so where there is none.

Textbook: transformers' Trainer, fp16, every text padded to 128 tokens. Ours: the contestant `fine_tune` as a suite
runs it. Both from text to scored test rows, same rows, batches, steps, rates and seeds; models of the usual sizes with
random weights, made-up texts with AG News' lengths. Three parts (`--parts one,techniques,many`):

- one: BERT-base and DistilBERT, one training at a time, in turns; medians and their ratio.
- techniques: the time of a step, all techniques, one taken away, none.
- many: five models, three seeds, two rates, as one suite, against as many textbook trainings one after another (of each
  model `--textbook-turns` are measured, and multiplied; 6: all are measured).

The share of the device's arithmetic (MFU) counts matrix products over real tokens, over the whole time, against
`--peak-tflops` (H200, bf16, dense: 989, https://www.nvidia.com/en-us/data-center/h200/). Results are kept as JSON in
`benchmarks/results/`, with machine and date. Needs `accelerate` for the Trainer.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import warnings
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu_many import many
from benchmarks.gpu_models import MAX_LENGTH, NAMES, World, keep_random, seconds_of, some
from benchmarks.gpu_steps import techniques
from benchmarks.training import BATCH, dataset_for, ours, textbook
from pytest_modelcompare.inference.device import choose_device, machine_in_words

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    arguments = parsed()
    import torch

    if not torch.cuda.is_available():
        print("no GPU: torch finds no CUDA device, nothing was measured")
        return
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as name:
        world = world_in(Path(name), arguments)
        for part in arguments.parts.split(","):
            world.found[part] = {"one": one, "techniques": techniques, "many": many}[part](world)
            keep(world)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Training on one GPU against the textbook recipe.")
    parser.add_argument("--parts", default="one,techniques,many")
    parser.add_argument("--rows", type=int, default=12_800)
    parser.add_argument("--test-rows", type=int, default=1_000)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100, help="of a training whose steps are timed")
    parser.add_argument("--textbook-turns", type=int, default=2, help="of `many`; 6: all are measured")
    parser.add_argument("--at-once", type=int, help="trainings at once; without it, as memory allows")
    parser.add_argument("--peak-tflops", type=float, default=989.0)
    found = parser.parse_args()
    found.train, found.max_length, found.precision = None, MAX_LENGTH, "auto"
    return found


def world_in(folder: Path, arguments: argparse.Namespace) -> World:
    from transformers import AutoTokenizer

    dataset = dataset_for(arguments)
    assert dataset.train is not None
    words = sorted({word for text in dataset.train.texts for word in text.split()})
    folders = {name: keep_random(name, folder / name, words, len(dataset.labels)) for name in NAMES}
    tokenizer = AutoTokenizer.from_pretrained(folders["bert"])
    ids = tokenizer(list(dataset.train.texts), truncation=True, max_length=MAX_LENGTH)["input_ids"]
    return World(arguments, dataset, folders, np.array([len(row) for row in ids]))


def one(world: World) -> dict[str, Any]:
    """One training at a time, in turns; a first turn of each, with few rows, warms the device up."""
    found = {}
    few = replace(world.dataset, train=some(world.dataset.train, 10 * BATCH))
    for model in ("bert", "distilbert"):
        folder = world.folders[model]
        ways = {
            "textbook": lambda data, seed, folder=folder: textbook(data, seed, world.arguments, folder),
            "ours": lambda data, seed, folder=folder: ours(data, seed, world.arguments, str(folder)),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for way in ways.values():
            way(few, 0)
        for seed in range(world.arguments.repeats):
            for name, way in ways.items():
                times[name].append(seconds_of(lambda way=way, seed=seed: way(world.dataset, seed)))
        slow, fast = (statistics.median(times[name]) for name in ("textbook", "ours"))
        mfu = world.mfu(world.flops(model), fast)
        found[model] = {"seconds": times, "ratio": slow / fast, "mfu": mfu}
        print(f"{model}: textbook {slow:.1f} s, ours {fast:.1f} s, {slow / fast:.1f} times, MFU {mfu:.1%}", flush=True)
    return found


def keep(world: World) -> None:
    """All that was found so far, in one file per day."""
    now = datetime.now(UTC)
    given = {name: value for name, value in vars(world.arguments).items() if name != "train"}
    versions = {name: metadata.version(name) for name in ("torch", "transformers", "pytest-modelcompare")}
    text = {"machine": machine_in_words("cuda"), "date": now.isoformat(timespec="seconds"), "versions": versions,
            "device": asdict(choose_device("cuda", "auto")), "tokens_per_row": float(world.lengths.mean()),
            "asked_for": given, **world.found}  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"gpu_training-{now:%Y-%m-%d}.json").write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
