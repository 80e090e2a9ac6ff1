"""A small random model, and rows of several lengths to train it on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_modelcompare.inference.token_ids import Encoded, Encoder


@dataclass(frozen=True)
class World:
    """What `train` takes."""

    kind: str

    def model(self) -> Any:
        import torch
        import transformers as hf

        torch.manual_seed(0)
        common = {"vocab_size": 20, "pad_token_id": 0, "num_labels": 3}
        small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        if self.kind == "distilbert":
            return hf.DistilBertForSequenceClassification(
                hf.DistilBertConfig(**common, dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=34)
            )
        name = {"bert": "Bert", "roberta": "Roberta", "electra": "Electra", "albert": "Albert"}[self.kind]
        config = getattr(hf, f"{name}Config")(**common, **small, max_position_embeddings=34)
        return getattr(hf, f"{name}ForSequenceClassification")(config)

    def material(self, n: int = 32) -> tuple[Encoder, Encoded, NDArray[np.int64]]:
        from pytest_modelcompare.inference.token_ids import Encoder
        from tests.methods.small_models import rows, tokenizer_of_words

        encoder = Encoder(tokenizer_of_words(), 32)
        some = rows(n, 0)
        return encoder, encoder.encode(some.texts), some.labels


@pytest.fixture
def world():
    return World


@pytest.fixture
def recipe():
    from pytest_modelcompare.training.recipe import Recipe

    given = Recipe(epochs=2, learning_rate=1e-3, batch_size=8, warmup=0.1, weight_decay=0.01, seed=3)

    def changed(**changes):
        return replace(given, **changes)

    return changed


def weights_of(model):
    return {name: one.detach().numpy().copy() for name, one in model.named_parameters()}


@pytest.fixture
def equal_weights():
    def equal(a, b, atol=0.0):
        ours, theirs = weights_of(a), weights_of(b)
        return all(np.allclose(ours[name], theirs[name], rtol=0, atol=atol) for name in ours)

    return equal
