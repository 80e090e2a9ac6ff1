from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.embed import load_embedder, pool_tokens, pooling_of


def test_the_mean_is_over_real_tokens_alone():
    states = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert pool_tokens(states, torch.tensor([[1, 1, 0]]), "mean").item() == 2.0


def test_cls_is_the_first_real_token_on_either_side():
    states = torch.tensor([[[1.0], [3.0]]])
    assert pool_tokens(states, torch.tensor([[1, 1]]), "cls").item() == 1.0
    assert pool_tokens(states, torch.tensor([[0, 1]]), "cls").item() == 3.0


def test_pooling_is_the_models_own_unless_the_suite_says(tmp_path):
    (tmp_path / "1_Pooling").mkdir()
    path = tmp_path / "1_Pooling" / "config.json"
    path.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    assert pooling_of(tmp_path, "auto", "m") == "cls"
    assert pooling_of(tmp_path, "mean", "m") == "mean"
    path.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(ModelError, match="pools by max_tokens"):
        pooling_of(tmp_path, "auto", "m")


def test_minilm_embeds_as_sentence_transformers_does(minilm_folder):
    theirs = pytest.importorskip("sentence_transformers").SentenceTransformer(str(minilm_folder), device="cpu")
    texts = ["Where is my card?", "I want a refund for the second payment, please", "no"]
    ours = load_embedder(str(minilm_folder), minilm_folder, "cpu", precision="fp32").embed(texts, batch_size=2)
    np.testing.assert_allclose(ours, theirs.encode(texts, normalize_embeddings=True), atol=1e-5)
