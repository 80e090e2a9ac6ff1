from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from pytest_modelcompare.inference.classify import Classifier
from pytest_modelcompare.inference.tokens import Encoder
from pytest_modelcompare.records import Device


class Counting(torch.nn.Module):
    """Logits are a row's sum of token ids; remembers the size of every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, input_ids, attention_mask, **_):
        self.sizes.append(input_ids.numel())
        return SimpleNamespace(logits=(input_ids * attention_mask).sum(dim=1, keepdim=True).float())


def test_batches_are_as_large_as_a_cores_cache_allows_and_rows_keep_their_order():
    from tests.methods.small_models import rows, tokenizer_of_words

    model, encoder = Counting(), Encoder(tokenizer_of_words(), 32)
    encoded = encoder.encode(rows(200, 0).texts)
    found = Classifier(model, encoder, Device("cpu", "fp32", "a test")).logits(encoded, batch_size=200)
    assert len(model.sizes) > 1
    assert max(model.sizes) <= 768
    sums = [int(np.asarray(encoded.columns["input_ids"][row]).sum()) for row in range(200)]
    assert found[:, 0].tolist() == sums
