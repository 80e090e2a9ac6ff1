"""What all parts share: rows, models of the usual sizes, what training them costs, and the clock."""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.training import made_up
from pytest_modelcompare.records import Dataset, Rows

T = TypeVar("T")
MAX_LENGTH = 128
LABELS = ("World", "Sports", "Business", "Sci/Tech")
TOPICS = ["world war peace", "match team goal", "bank market price", "software internet space"]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")

FORWARD_AND_BACKWARD = 3
"""A training step computes so many times what a prediction does."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large everything is."""

    rows: int
    """To train on."""

    test_rows: int
    many_rows: int
    """To train on, for each of the many."""

    seeds: int
    """Of each of the many."""

    epochs: float
    turns: int
    steps: int
    """Of each of the two epochs of a training whose steps are timed."""

    matrix: int
    """Width of the square matrices whose product gives the device's peak."""

    copied_mib: int
    tiny: bool


SIZES = {
    "full": Sizes(9_600, 1_000, 6_400, 3, 3, 1, 40, 8_192, 4_096, tiny=False),
    "tiny": Sizes(64, 16, 32, 1, 1, 1, 2, 128, 4, tiny=True),
}


@dataclass(frozen=True)
class World:
    """What a part is given."""

    dataset: Dataset
    many: Dataset
    """With fewer training rows."""

    folders: dict[str, Path]
    """Model → its folder, as a hub folder is."""

    lengths: NDArray[np.int64]
    """Shape (training rows,). Tokens of each, cut at MAX_LENGTH."""

    sizes: Sizes
    source: str
    """Of the rows, in words."""

    def few(self, count: int) -> Dataset:
        return replace(self.dataset, train=first(self.dataset.train, count))


def first(rows: Rows | None, count: int) -> Rows:
    assert rows is not None
    return replace(rows, texts=rows.texts[:count], labels=rows.labels[:count], ids=rows.ids[:count])


def config_of(name: str, n_labels: int, vocabulary: int, *, tiny: bool) -> Any:
    """MiniLM, DistilBERT, BERT-base, RoBERTa-base, ALBERT-base or T5-small."""
    import transformers as hf

    common = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "num_labels": n_labels}
    common["vocab_size"] = vocabulary
    large = (384, 1_536, 6, 12) if name == "minilm" else (768, 3_072, 12, 12)
    width, inner, layers, heads = (32, 64, 3 if name == "bert" else 2, 2) if tiny else large
    if name == "distilbert":
        return hf.DistilBertConfig(**common, dim=width, hidden_dim=inner, n_layers=max(2, layers // 2), n_heads=heads)
    if name == "t5":
        small = {"d_model": 32, "d_ff": 64, "d_kv": 16, "num_layers": 2, "num_heads": 2} if tiny else {}
        return hf.T5Config(**common, **small, decoder_start_token_id=0, classifier_dropout=0.1)
    sizes = {
        "hidden_size": width,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
    }
    if name == "albert":
        return hf.AlbertConfig(**common, **sizes)
    if name == "roberta":
        return hf.RobertaConfig(**common, **sizes, max_position_embeddings=514, type_vocab_size=1)
    return hf.BertConfig(**common, **sizes)


def training_flops(config: Any, lengths: NDArray[np.int64]) -> float:
    """Floating-point operations of one epoch over rows of these lengths: matrix products alone, real tokens alone,
    the last layer counted whole although only a part of it is computed.
    """
    tokens, squares = float(lengths.sum()), float((lengths.astype(float) ** 2).sum())
    layers, width = int(config.num_hidden_layers), int(config.hidden_size)
    inner = {"distilbert": "hidden_dim", "t5": "d_ff"}.get(config.model_type, "intermediate_size")
    wide = int(getattr(config, inner))
    a_layer = 2 * tokens * (4 * width**2 + 2 * width * wide) + 4 * squares * width
    across = 2 * tokens * 4 * width**2 + 4 * squares * width  # a decoder also attends to the encoder
    total = layers * a_layer + (layers * (a_layer + across) if config.model_type == "t5" else 0)
    return FORWARD_AND_BACKWARD * total


def world_in(folder: Path, names: tuple[str, ...], sizes: Sizes, data: Path | None, minilm: Path | None) -> World:
    """Rows, and the named models with random weights; MiniLM's own weights and tokenizer where they are at hand.

    Args:
        data: a folder with AG News' `train_subset.csv.gz` and `test.csv.gz`; without it, texts with lengths like
            theirs are made up.
        minilm: a hub folder of MiniLM.
    """
    from transformers import AutoTokenizer

    train, test = real_rows(data, sizes) if data else made_up_rows(sizes)
    dataset = Dataset(LABELS, {}, train, None, test, "AG News" if data else "made up")
    words = sorted({word for text in train.texts for word in text.split()})
    folders = {}
    for name in names:
        if name == "minilm" and minilm is not None:
            folders[name] = keep_in_fp32(minilm, folder / name)
        else:
            folders[name] = keep_random(name, folder / name, words, minilm, tiny=sizes.tiny)
    tokenizer = AutoTokenizer.from_pretrained(folders[names[0]])
    ids = tokenizer(list(train.texts), truncation=True, max_length=MAX_LENGTH)["input_ids"]
    many = replace(dataset, train=first(train, sizes.many_rows))
    return World(dataset, many, folders, np.array([len(row) for row in ids]), sizes, dataset.digest)


def real_rows(folder: Path, sizes: Sizes) -> tuple[Rows, Rows]:
    """AG News in a fixed random order; title and description are one text."""
    found = []
    for file, count in (("train_subset.csv.gz", sizes.rows), ("test.csv.gz", sizes.test_rows)):
        with gzip.open(folder / file, "rt", encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        chosen = [lines[at] for at in np.random.default_rng(0).permutation(len(lines))[:count]]
        label, *texts = chosen[0]
        labels = np.array([int(line[label]) - 1 for line in chosen])
        joined = tuple(" ".join(line[text] for text in texts) for line in chosen)
        found.append(Rows(joined, labels, tuple(map(str, range(len(chosen))))))
    return found[0], found[1]


def made_up_rows(sizes: Sizes) -> tuple[Rows, Rows]:
    return made_up(TOPICS, sizes.rows, 0), made_up(TOPICS, sizes.test_rows, 1)


def keep_random(name: str, folder: Path, words: list[str], minilm: Path | None, *, tiny: bool) -> Path:
    """Write a model with random weights and a tokenizer, as a hub folder is."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    real = minilm is not None and name in ("minilm", "bert", "distilbert")  # which share BERT's vocabulary
    tokenizer = AutoTokenizer.from_pretrained(minilm) if real else tokenizer_of(name, words)
    vocabulary = len(tokenizer) if tiny or real else max(len(tokenizer), 50_265 if name == "roberta" else 30_522)
    config = config_of(name, len(LABELS), vocabulary, tiny=tiny)
    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def keep_in_fp32(given: Path, folder: Path) -> Path:
    """Weights that were carried in bf16, as a hub has them."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    AutoModel.from_pretrained(given, dtype=torch.float32).save_pretrained(folder)
    AutoTokenizer.from_pretrained(given).save_pretrained(folder)
    return folder


def tokenizer_of(name: str, words: list[str]) -> Any:
    """A number for every word."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    numbers = {word: number for number, word in enumerate([*SPECIAL, *words])}
    found = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    shape = "$A [SEP]" if name == "t5" else "[CLS] $A [SEP]"
    found.post_processor = processors.TemplateProcessing(shape, None, [("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(
        tokenizer_object=found, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        eos_token="[SEP]", model_max_length=512,
    )  # fmt: skip


def flops_of(world: World, name: str, rows: int | None = None) -> float:
    """Of one epoch over the first rows, or all."""
    from transformers import AutoConfig

    return training_flops(AutoConfig.from_pretrained(world.folders[name]), world.lengths[:rows])


def share_of_peak(flops: float, seconds: float, peak_tflops: float | None) -> float | None:
    """Of what the device's matrix units reach; None where that was not measured."""
    return None if peak_tflops is None else flops / seconds / (peak_tflops * 1e12)


def wait_for_device() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds_of(work: Callable[[], T]) -> tuple[float, T]:
    """By the clock, the device's own work included; and what it gave."""
    wait_for_device()
    began = time.perf_counter()
    found = work()
    wait_for_device()
    return time.perf_counter() - began, found
