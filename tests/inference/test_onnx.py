"""Exported graphs answer as their models do, or there is no graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
pytest.importorskip("onnx", reason="needs the extra `onnx`")

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference import onnx, onnx_export
from pytest_modelcompare.inference.onnx_rewrites import rewrite_graph
from pytest_modelcompare.inference.token_ids import Encoder
from tests.methods import small_models

COMMON = {"vocab_size": 20, "pad_token_id": 0, "eos_token_id": 3, "num_labels": 3, "initializer_range": 0.2}
SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
}
KINDS: dict[str, dict[str, Any]] = {
    "Bert": SIZE,
    "Roberta": SIZE,
    "DistilBert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "max_position_embeddings": 66},
    "Albert": SIZE | {"embedding_size": 16},
    "Electra": SIZE | {"embedding_size": 32},
    "DebertaV2": SIZE | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8},
    "MPNet": SIZE,
    "ModernBert": SIZE | {"cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "local_attention": 8},
    "XLNet": {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64},
    "T5": {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "decoder_start_token_id": 0},
}


def model_of(kind: str, sizes: dict[str, Any]):
    import torch
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**COMMON, **sizes)
    config._attn_implementation = "eager"
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_gives_the_models_logits_row_by_row_and_int8_ones_near(tmp_path, kind):
    model, encoder = model_of(kind, KINDS[kind]), Encoder(small_models.tokenizer_of_words(), 32)
    encoder.tokenizer.padding_side = "left" if kind == "XLNet" else "right"  # as their own tokenizers do
    texts = small_models.rows(30, 1).texts
    onnx_export.export_graph(model, encoder, texts, tmp_path / "model.onnx", kind)
    assert onnx_export.fuse_graph(tmp_path / "model.onnx", model, encoder, texts, kind) == ()
    onnx_export.quantise_graph(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    encoded = encoder.encode(texts)
    theirs = np.concatenate([model(**encoder.batch(encoded, [row], "cpu")).logits.numpy() for row in range(30)])
    ours, int8 = (
        onnx.load_graph(tmp_path / f"{name}.onnx", encoder, "fp32", "cpu").logits(encoded, batch_size=7)
        for name in ("model", "int8")
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())
    assert 1e-6 < np.abs(int8 - theirs).max() < 0.15 * np.abs(theirs).max()


def test_a_graph_that_answers_otherwise_is_refused(tmp_path):
    # XLNet answers from the last token: padded on the right, as it never is, its batches depend on the longest row
    model, encoder = model_of("XLNet", KINDS["XLNet"]), Encoder(small_models.tokenizer_of_words(), 32)
    with pytest.raises(ModelError, match=r"xlnet: the exported graph answers otherwise than the model"):
        onnx_export.export_graph(model, encoder, small_models.rows(30, 1).texts, tmp_path / "model.onnx", "xlnet")


def test_a_graph_that_answers_otherwise_when_fused_stays_as_exported(tmp_path, monkeypatch):
    model, encoder = model_of("Bert", SIZE), Encoder(small_models.tokenizer_of_words(), 32)
    path, texts = tmp_path / "model.onnx", small_models.rows(30, 1).texts
    onnx_export.export_graph(model, encoder, texts, path, "bert")
    exported = path.read_bytes()
    # the model has two
    monkeypatch.setattr(onnx_export, "rewrite_graph", lambda graph, heads: rewrite_graph(graph, heads=1))
    (note,) = onnx_export.fuse_graph(path, model, encoder, texts, "bert")
    assert note.startswith("the graph runs as exported, slower than it might: the exported graph answers otherwise")
    assert path.read_bytes() == exported
    assert list(tmp_path.iterdir()) == [path]


def test_batches_on_threads_of_their_own_give_what_one_after_the_other_gives(tmp_path):
    model, encoder = model_of("Bert", SIZE), Encoder(small_models.tokenizer_of_words(), 32)
    texts = small_models.rows(60, 1).texts
    onnx_export.export_graph(model, encoder, texts, tmp_path / "model.onnx", "bert")
    alone = onnx.load_graph(tmp_path / "model.onnx", encoder, "fp32", "cpu")
    asked = []
    beside = replace(alone, threads=2, single=lambda: asked.append(1) or alone.session)
    encoded = encoder.encode(texts)
    assert np.array_equal(beside.logits(encoded, batch_size=8), replace(alone, single=None).logits(encoded, 8))
    assert asked == [1]
    beside.logits(encoded, batch_size=16)  # four batches: as soon done one after the other
    assert asked == [1]


def test_a_graph_that_cannot_be_computed_is_refused(tmp_path):
    model, encoder = model_of("Bert", SIZE), Encoder(small_models.tokenizer_of_words(), 100)  # 66 positions
    onnx_export.export_graph(model, replace(encoder, max_length=32), ["a b"], tmp_path / "model.onnx", "bert")
    classifier = onnx.load_graph(tmp_path / "model.onnx", encoder, "fp32", "cpu")
    with pytest.raises(ModelError, match="the graph cannot be computed"):
        classifier.predict(["a " * 90])


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="the graph cannot be loaded"):
        onnx.load_graph(tmp_path / "model.onnx", Encoder(None, 8), "fp32", "cpu")


def test_a_device_that_onnxruntime_cannot_use_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx, "runs_on", lambda kind: False)
    with pytest.raises(ModelError, match="onnxruntime cannot run on cuda here"):
        onnx.load_graph(tmp_path / "model.onnx", Encoder(None, 8), "fp32", "cuda")
