"""Thirty small trainings: five models, three seeds and two rates as one suite, against as many textbook trainings one
after another.
"""

from __future__ import annotations

import csv
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.gpu.training import given
from benchmarks.gpu.world import MAX_LENGTH, World, flops_of, seconds_of, share_of_peak
from benchmarks.training import BATCH, DECAY, WARMUP, textbook
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.records.progress import Unwatched
from pytest_modelcompare.suite.load import load_suite

MODELS = ("minilm", "distilbert", "bert", "roberta", "albert")
RATES = (2e-5, 5e-5)


def compare_many(world: World, peak_tflops: float | None) -> Iterator[dict[str, Any]]:
    """The suite, then side by side and one after another; then a textbook training of each model, multiplied."""
    found: dict[str, Any] = {"trainings": each(world) * len(MODELS), "seconds": {}}
    for name, at_once in (("side by side", None), ("one after another", 1)):
        found["seconds"][name] = seconds_of(lambda at_once=at_once: run_suite(world, at_once))[0]
        yield found
    fast = min(found["seconds"].values())
    flops = sum(each(world) * flops_of(world, name, world.sizes.many_rows) for name in MODELS)
    found["share_of_peak"] = share_of_peak(flops, fast, peak_tflops)
    found["textbook_seconds"] = {}
    for name in MODELS:
        folder = world.folders[name]
        found["textbook_seconds"][name] = seconds_of(lambda folder=folder: textbook(world.many, 0, given(1), folder))[0]
        mean = statistics.mean(found["textbook_seconds"].values())
        found["ratio"] = each(world) * len(MODELS) * mean / found["seconds"]["side by side"]
        found["textbook_measured"] = len(found["textbook_seconds"])
        yield found


def each(world: World) -> int:
    """Trainings of each model."""
    return len(RATES) * world.sizes.seeds


def run_suite(world: World, at_once: int | None) -> None:
    """The whole comparison as a suite, in a store of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, rows in (("train", world.many.train), ("test", world.many.test)):
            assert rows is not None
            with (folder / f"{part}.csv").open("w", newline="", encoding="utf-8") as file:
                lines = zip(rows.texts, (f"topic{label}" for label in rows.labels), strict=True)
                csv.writer(file).writerows([("text", "label"), *lines])
        path = folder / "s.modelcompare.yaml"
        path.write_text(suite_text(world), encoding="utf-8")
        options = Options(folder / "store", "session", device="auto", jobs_at_once=at_once)
        comparison = Comparison(load_suite(path), options, Ledger())
        prepare([(comparison, comparison.everything())], Unwatched())
        assert not comparison.failures, comparison.failures
        assert comparison.ledger.spend.trainings == each(world) * len(MODELS)


def suite_text(world: World) -> str:
    lines = ["modelcompare: 1", "data: {train: train.csv, test: test.csv, leakage: 1}", "references: false"]
    lines += ["contestants:"]
    for name in MODELS:
        for number, rate in enumerate(RATES):
            options = f"epochs: 1, max_length: {MAX_LENGTH}, batch_size: {BATCH}"
            options += f", warmup: {WARMUP}, weight_decay: {DECAY}, learning_rate: {rate}"
            options += f", seeds: {list(range(world.sizes.seeds))}"
            lines.append(f"  {name}{number}: {{fine_tune: {world.folders[name]}, {options}}}")
    return "\n".join([*lines, "gates: [bert0.accuracy >= 0]", ""])
