"""Five models, three seeds and two rates as one suite, against as many textbook trainings one after another."""

from __future__ import annotations

import csv
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.gpu_models import MAX_LENGTH, NAMES, World, seconds_of
from benchmarks.training import BATCH, DECAY, WARMUP, textbook
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.options import Options
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.execution.watch import Unwatched
from pytest_modelcompare.suite.load import load_suite

RATES, SEEDS = (2e-5, 5e-5), (1, 2, 3)
EACH = len(RATES) * len(SEEDS)
"""Trainings of each model."""


def many(world: World) -> dict[str, Any]:
    """The suite, and a textbook training of every model, in turns."""
    arguments = world.arguments
    times: dict[str, list[float]] = {"ours": [], **{name: [] for name in NAMES}}
    for turn in range(max(arguments.repeats, arguments.textbook_turns)):
        if turn < arguments.repeats:
            times["ours"].append(seconds_of(lambda: suite_run(world)))
        for name in NAMES if turn < arguments.textbook_turns else ():
            times[name].append(textbook_seconds(world, name, turn))
    fast = statistics.median(times["ours"])
    slow = sum(EACH * statistics.mean(times[name]) for name in NAMES)
    measured = sum(len(times[name]) for name in NAMES)
    mfu = world.mfu(sum(EACH * world.flops(name) for name in NAMES), fast)
    print(
        f"{EACH * len(NAMES)} trainings: textbook one after another {slow:.0f} s (from {measured} that were measured), "
        f"ours {fast:.1f} s, {slow / fast:.1f} times, MFU {mfu:.1%}",
        flush=True,
    )
    found = {"trainings": EACH * len(NAMES), "textbook_seconds": slow, "textbook_measured": measured}
    return {**found, "ratio": slow / fast, "mfu": mfu, "seconds": times}


def textbook_seconds(world: World, name: str, seed: int) -> float:
    return seconds_of(lambda: textbook(world.dataset, seed, world.arguments, world.folders[name]))


def suite_run(world: World) -> None:
    """The whole comparison as a suite, in a store of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, rows in (("train", world.dataset.train), ("test", world.dataset.test)):
            assert rows is not None
            with (folder / f"{part}.csv").open("w", newline="", encoding="utf-8") as file:
                lines = zip(rows.texts, (f"topic{label}" for label in rows.labels), strict=True)
                csv.writer(file).writerows([("text", "label"), *lines])
        path = folder / "s.modelcompare.yaml"
        path.write_text(suite_text(world), encoding="utf-8")
        options = Options(folder / "store", "session", device="auto", jobs_at_once=world.arguments.at_once)
        comparison = Comparison(load_suite(path), options, Ledger())
        prepare([(comparison, comparison.everything())], Unwatched())
        assert not comparison.failures, comparison.failures
        assert comparison.ledger.spend.trainings == len(NAMES) * len(RATES) * len(SEEDS)


def suite_text(world: World) -> str:
    lines = ["modelcompare: 1", "data: {train: train.csv, test: test.csv, leakage: 1}", "references: false"]
    lines += ["contestants:"]
    for name in NAMES:
        for number, rate in enumerate(RATES):
            options = f"epochs: {world.arguments.epochs}, max_length: {MAX_LENGTH}, batch_size: {BATCH}"
            options += f", warmup: {WARMUP}, weight_decay: {DECAY}, learning_rate: {rate}, seeds: {list(SEEDS)}"
            lines.append(f"  {name}{number}: {{fine_tune: {world.folders[name]}, {options}}}")
    return "\n".join([*lines, "gates: [bert0.accuracy >= 0]", ""])
