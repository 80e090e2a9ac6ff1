"""Models of the usual sizes with random weights, a tokenizer for made-up texts, and what training one costs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.records import Dataset, Rows

MAX_LENGTH = 128

NAMES = ("bert", "roberta", "distilbert", "albert", "t5")
"""BERT-base, RoBERTa-base, DistilBERT, ALBERT-base and T5-small."""

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
FORWARD_AND_BACKWARD = 3
"""A training step computes so many times what a prediction does."""


def config_of(name: str, n_labels: int) -> Any:
    """transformers' own defaults are the base models' sizes; ALBERT's and T5's are given."""
    import transformers as hf

    common = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "num_labels": n_labels}
    if name == "albert":
        sizes = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072, "num_hidden_layers": 12}
        return hf.AlbertConfig(**common, **sizes)
    if name == "t5":
        return hf.T5Config(**common, decoder_start_token_id=0, classifier_dropout=0.1)
    if name == "roberta":
        return hf.RobertaConfig(**common, vocab_size=50_265, max_position_embeddings=514, type_vocab_size=1)
    return {"bert": hf.BertConfig, "distilbert": hf.DistilBertConfig}[name](**common)


def keep_random(name: str, folder: Path, words: list[str], n_labels: int) -> Path:
    """Write a model and its tokenizer, as a hub folder is."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_config(config_of(name, n_labels)).save_pretrained(folder)
    numbers = {word: number for number, word in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    shape = "$A [SEP]" if name == "t5" else "[CLS] $A [SEP]"
    tokenizer.post_processor = processors.TemplateProcessing(shape, None, [("[CLS]", 2), ("[SEP]", 3)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        eos_token="[SEP]", model_max_length=512,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def training_flops(name: str, lengths: NDArray[np.int64]) -> float:
    """Floating-point operations of one epoch over rows of these lengths: matrix products alone, real tokens alone,
    the last layer counted whole although only a part of it is computed.
    """
    config = config_of(name, 2)
    tokens, squares = float(lengths.sum()), float((lengths.astype(float) ** 2).sum())
    layers, width = int(config.num_hidden_layers), int(config.hidden_size)
    inner = {"distilbert": "hidden_dim", "t5": "d_ff"}.get(name, "intermediate_size")
    wide = int(getattr(config, inner))
    a_layer = 2 * tokens * (4 * width**2 + 2 * width * wide) + 4 * squares * width
    across = 2 * tokens * 4 * width**2 + 4 * squares * width  # a decoder also attends to the encoder
    total = layers * a_layer + (layers * (a_layer + across) if name == "t5" else 0)
    return FORWARD_AND_BACKWARD * total


@dataclass
class World:
    """What all parts share."""

    arguments: argparse.Namespace
    dataset: Dataset
    folders: dict[str, Path]
    lengths: NDArray[np.int64]
    """Shape (training rows,). Tokens of each."""

    found: dict[str, Any] = field(default_factory=dict)

    def flops(self, model: str) -> float:
        return training_flops(model, self.lengths) * float(self.arguments.epochs)

    def mfu(self, flops: float, seconds: float) -> float:
        return flops / seconds / (self.arguments.peak_tflops * 1e12)


def seconds_of(work: Callable[[], object]) -> float:
    import torch

    began = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - began


def some(rows: Rows | None, count: int) -> Rows:
    assert rows is not None
    return replace(rows, texts=rows.texts[:count], labels=rows.labels[:count], ids=rows.ids[:count])
