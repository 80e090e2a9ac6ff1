from __future__ import annotations

import multiprocessing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference import token_ids
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer
from pytest_modelcompare.inference.token_ids import (
    CHUNK,
    Encoded,
    Encoder,
    batches_by_length,
    encode_once,
    length_limit,
)


def test_batches_hold_similar_lengths_and_every_row_once():
    batches = batches_by_length(np.array([3, 9, 1, 8, 2]), 2)
    assert [batch.tolist() for batch in batches] == [[1, 3], [0, 4], [2]]


def test_long_rows_come_in_smaller_batches():
    # 8 tokens in all: one row of 8, then two of 4
    assert [len(batch) for batch in batches_by_length(np.array([4, 8, 4]), 32, tokens=8)] == [1, 2]


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


TEXTS = ["where is my card", "", "lost [SEP] money", "half a \ud83d character"]


@pytest.fixture
def encoder():
    from tests.methods.small_models import tokenizer_of_words

    return Encoder(tokenizer_of_words(), 8)


@pytest.fixture
def kept(tmp_path):
    (tmp_path / "scratch").mkdir()
    return tmp_path / "tokens", tmp_path / "scratch"


def as_lists(encoded):
    return {name: [list(map(int, row)) for row in column] for name, column in encoded.columns.items()}


def forbid(monkeypatch):
    monkeypatch.setattr(Encoder, "parts", lambda *_: pytest.fail("tokenised"))


def test_what_is_kept_is_what_was_tokenised(encoder, kept, monkeypatch):
    texts = TEXTS[:3]
    fresh = encoder.encode(texts)
    encode_once(encoder, texts, *kept)
    forbid(monkeypatch)
    again = encode_once(encoder, texts, *kept)
    assert as_lists(again) == as_lists(fresh)
    values: Any = getattr(again.columns["input_ids"], "values")  # noqa: B009  # of what is kept, not of what is not
    assert isinstance(values.base, np.memmap)
    batches = [encoder.batch(one, [2, 0], "cpu") for one in (fresh, again)]
    assert all((batches[0][name] == batches[1][name]).all() for name in batches[0])


def test_another_tokenizer_length_prefix_or_text_has_tokens_of_its_own(encoder, kept):
    texts = ["where is my card"]
    for one, some in [
        (encoder, texts), (replace(encoder, max_length=4), texts), (replace(encoder, prefix="help"), texts),
        (encoder, [*texts, *texts]), (encoder, ["where is my", "card"]),
    ]:  # fmt: skip
        assert as_lists(encode_once(one, some, *kept)) == as_lists(one.encode(some))
    assert len(list(kept[0].iterdir())) == 5


def test_a_call_with_other_settings_leaves_the_digest_alone(encoder):
    before = token_ids.tokenizer_digest(encoder)
    encoder.tokenizer(["where is"], truncation=True, max_length=3, padding=True)
    assert token_ids.tokenizer_digest(encoder) == before


def test_damaged_tokens_are_not_taken(encoder, kept):
    encode_once(encoder, TEXTS[:3], *kept)
    (folder,) = kept[0].iterdir()
    (folder / "input_ids.int32").write_bytes(b"1234")
    assert as_lists(encode_once(encoder, TEXTS[:3], *kept)) == as_lists(encoder.encode(TEXTS[:3]))


def test_many_texts_are_tokenised_in_parts(encoder, kept):
    texts = [" ".join(["card"] * (n % 5 + 1)) for n in range(CHUNK + 3)]
    encoded = encode_once(encoder, texts, *kept)
    assert encoded.lengths.tolist() == [n % 5 + 3 for n in range(CHUNK + 3)]
    assert list(encoded.columns["input_ids"][CHUNK + 1]) == list(
        encoder.encode([texts[CHUNK + 1]]).columns["input_ids"][0]
    )


def test_no_texts_have_no_tokens(encoder, kept):
    assert len(encode_once(encoder, [], *kept).lengths) == 0


def tokenise(folder, number):
    from tests.methods.small_models import tokenizer_of_words

    scratch = folder / f"scratch{number}"
    scratch.mkdir()
    texts = ["where is my card"] * 3000
    encoded = encode_once(Encoder(tokenizer_of_words(), 8), texts, folder / "tokens", scratch)
    assert encoded.lengths.tolist() == [6] * 3000


def test_several_processes_may_tokenise_the_same_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=tokenise, args=(tmp_path, number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(list((tmp_path / "tokens").iterdir())) == 1
    assert not any(list(folder.iterdir()) for folder in tmp_path.glob("scratch*"))
