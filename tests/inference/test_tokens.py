from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer
from pytest_modelcompare.inference.tokens import Encoded, Encoder, by_length, length_limit


def test_batches_hold_similar_lengths_and_every_row_once():
    batches = by_length(np.array([3, 9, 1, 8, 2]), 2)
    assert [batch.tolist() for batch in batches] == [[1, 3], [0, 4], [2]]


def test_long_rows_come_in_smaller_batches():
    # 8 tokens in all: one row of 8, then two of 4
    assert [len(batch) for batch in by_length(np.array([4, 8, 4]), 32, tokens=8)] == [1, 2]


@pytest.mark.parametrize(("side", "ids"), [("right", [[5, 6, 7], [8, 0, 0]]), ("left", [[5, 6, 7], [0, 0, 8]])])
def test_padding_is_on_the_tokenizers_side(side, ids):
    tokenizer = SimpleNamespace(padding_side=side, pad_token_id=0, pad_token_type_id=0)
    encoded = Encoded({"input_ids": [[5, 6, 7], [8]]}, np.array([3, 1]))
    batch = Encoder(tokenizer, 8).batch(encoded, [0, 1], "cpu")
    assert batch["input_ids"].tolist() == ids
    assert batch["attention_mask"].tolist() == [[int(token > 0) for token in row] for row in ids]


def test_a_literal_separator_stays_text(minilm_folder):
    encoder = load_tokenizer(minilm_folder, load_config(minilm_folder, "minilm"), None, "minilm")
    (ids,) = encoder.encode(["a [SEP] b"]).columns["input_ids"]
    assert list(ids).count(encoder.tokenizer.sep_token_id) == 1  # the one at the end


def test_roberta_cannot_use_its_first_positions():
    config = SimpleNamespace(max_position_embeddings=34, pad_token_id=1, model_type="roberta")
    tokenizer = SimpleNamespace(model_max_length=10**30)
    assert length_limit(tokenizer, config, None, "m") == 32
    with pytest.raises(ModelError, match="at most 32"):
        length_limit(tokenizer, config, 33, "m")
