"""Memory for a million short rows: `python -m benchmarks.million_rows [ROWS]`.

Tokenises, trains one epoch of a tiny random model and predicts as many rows again, by the contestant `fine_tune` as a
suite runs it. Prints the resident memory after each part and the peak; the rows themselves, as Python strings, count.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pytest_modelcompare.inference.memory import MIB, STATUS, resident_mb
from pytest_modelcompare.methods.fine_tune import FineTune
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.methods.local import Work
from pytest_modelcompare.records import Dataset, Rows
from pytest_modelcompare.records.progress import Progress

WORDS = [f"word{number}" for number in range(2_000)]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = tiny_model(folder / "weights")
        say("before the rows")
        dataset = Dataset(("a", "b"), {}, rows(count, 0), None, rows(count, 1), "made up")
        say(f"with {count:,} rows to train on and {count:,} to predict")
        settings = FineTuneSettings(model=str(model), epochs=1, batch_size=512, precision="fp32", learning_rate=1e-3)
        (folder / "run").mkdir()
        began = time.perf_counter()
        seen: dict[str, float] = {}

        def watch(progress: Progress) -> None:
            seen.setdefault(progress.note.split(",")[0], resident_mb("VmRSS"))

        work = Work(dataset, 0, "cpu", folder / "run", folder, watch, tokens=folder / "tokens")
        outcome = FineTune().run(settings, work)
        for part, megabytes in seen.items():
            print(f"  {part:<60} {megabytes:7.0f} MB")
        accuracy = float((outcome.predictions.labels == dataset.test.labels).mean())
        say(f"after {time.perf_counter() - began:.0f} s, accuracy {accuracy:.3f}")
    print(f"  peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB:,.0f} MB")


def say(what: str) -> None:
    print(f"  {what:<60} {resident_mb('VmRSS') if STATUS.exists() else float('nan'):7.0f} MB", flush=True)


def rows(count: int, seed: int) -> Rows:
    """Texts of three to nine words; the label says which half of the vocabulary the first is of."""
    random = np.random.default_rng(seed)
    lengths = random.integers(3, 10, count)
    numbers = random.integers(0, len(WORDS), lengths.sum())
    ends = np.cumsum(lengths)
    texts = tuple(
        " ".join(WORDS[number] for number in numbers[end - length : end])
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    )
    return Rows(texts, (numbers[ends - lengths] >= len(WORDS) // 2).astype(np.int64), tuple(map(str, range(count))))


def tiny_model(folder: Path) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=32,
    ).save_pretrained(folder)  # fmt: skip
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
