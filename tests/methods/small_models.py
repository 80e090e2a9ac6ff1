"""Small random models with a tokenizer trained on the spot, and a small world to work in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pytest_modelcompare.methods.local import Work
from pytest_modelcompare.records import Dataset, Rows

WORDS = ["card", "money", "lost", "late", "refund", "please", "help", "where", "is", "my"]
LABELS = ("card", "money", "refund")


def tokenizer_of_words():
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS, "[", "]", "sep"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=32,
    )  # fmt: skip


def small_bert(folder: Path) -> Path:
    """A random BERT encoder of two layers, saved as safetensors."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32, initializer_range=0.1,  # with .02 half of all seeds do not learn in 30 epochs
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    tokenizer_of_words().save_pretrained(folder)
    return folder


def settings_for(folder: Path, **changes):
    """Of `fine_tune`: enough to learn 32 rows by heart."""
    from pytest_modelcompare.methods.fitting import FineTuneSettings

    given: dict[str, Any] = {
        "model": str(folder),
        "epochs": 30,
        "learning_rate": 3e-3,
        "batch_size": 8,
        "precision": "fp32",
    }
    return FineTuneSettings(**(given | changes))


def rows(n: int, seed: int) -> Rows:
    """Texts of 2 to 9 words; the label is the one label word in them."""
    random = np.random.default_rng(seed)
    numbers = np.arange(n) % len(LABELS)
    others = [word for word in WORDS if word not in LABELS]
    texts = [" ".join([LABELS[k], *random.choice(others, random.integers(1, 9))]) for k in numbers]
    return Rows(tuple(texts), numbers.astype(np.int64), tuple(map(str, range(n))))


def small_work(folder: Path, *, seed: int = 1, smoke: bool = False, device: str = "cpu") -> Work:
    folder.mkdir(parents=True, exist_ok=True)
    dataset = Dataset(LABELS, {"card": "lost card"}, rows(32, 0), None, rows(30, 1), "digest")
    return Work(dataset, seed, device, folder, folder, smoke=smoke)
