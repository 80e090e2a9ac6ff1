"""Each technique leaves the training as it is, but for rounding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pytest_modelcompare.records import Device
from pytest_modelcompare.training.cpu.occurring_tokens import occurring_tokens
from pytest_modelcompare.training.cpu.unpadded import Unpadded
from pytest_modelcompare.training.layouts import Padded, layout_for
from pytest_modelcompare.training.loop import train
from pytest_modelcompare.training.recipe import Techniques
from tests.training.conftest import World

FP32 = Device("cpu", "fp32", "a test")
PLAIN = Techniques(
    unpadded=False, buckets=False, first_position=False, fast_dropout=False, fused_layers=False, fused=False,
    occurring_tokens=False,
)  # fmt: skip
KNOWN = ["bert", "roberta", "electra", "distilbert", "albert"]


def without_dropout(model):
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


@pytest.fixture
def trained(world: type[World], recipe):
    def train_one(kind, techniques, **changes):
        model = without_dropout(world(kind).model())
        train(model, *world(kind).material(), FP32, recipe(techniques=techniques, **changes))
        return model

    return train_one


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize(
    "technique", ["unpadded", "buckets", "first_position", "fused", "fast_dropout", "occurring_tokens"]
)
def test_a_technique_changes_nothing_but_rounding(trained, equal_weights, kind, technique):
    assert equal_weights(trained(kind, replace(PLAIN, **{technique: True})), trained(kind, PLAIN), atol=2e-5)


@pytest.mark.parametrize("kind", KNOWN)
def test_fused_layers_change_nothing_but_rounding(trained, equal_weights, kind):
    plain = replace(PLAIN, unpadded=True)
    assert equal_weights(trained(kind, replace(plain, fused_layers=True)), trained(kind, plain), atol=2e-5)


@pytest.mark.parametrize("kind", KNOWN)
def test_known_models_are_trained_without_padding(world: type[World], kind):
    encoder, encoded, _ = world(kind).material()
    model = world(kind).model()
    with layout_for(model, encoder, encoded, FP32, Techniques()) as (layout, _):
        assert isinstance(layout, Unpadded)
    assert "forward" not in vars(last_layers(model)[-1])  # as it was


def model_of_sixty_tokens():
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=60, pad_token_id=0, num_labels=3, max_position_embeddings=34, **sizes)
    return without_dropout(BertForSequenceClassification(config))


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_tokens_that_do_not_occur_decay_as_if_they_had_been_trained(world: type[World], recipe, weight_decay):
    tables = []
    for techniques in (PLAIN, replace(PLAIN, occurring_tokens=True)):
        model = model_of_sixty_tokens()
        before = model.get_input_embeddings().weight.detach().clone()
        settings = recipe(techniques=techniques, weight_decay=weight_decay, learning_rate=1e-2)
        train(model, *world("bert").material(), FP32, settings)
        tables.append(model.get_input_embeddings().weight.detach())
    assert torch.allclose(tables[0], tables[1], atol=1e-5)
    assert torch.equal(tables[1][59], before[59]) == (weight_decay == 0)
    assert model.get_input_embeddings().weight.shape == (60, 32)


def test_only_occurring_tokens_have_gradients_meanwhile(world: type[World]):
    encoder, encoded, _ = world("bert").material()
    model = model_of_sixty_tokens()
    ids = encoder.batch(encoded, [0, 1], "cpu")["input_ids"]
    whole = model.get_input_embeddings()
    expected = whole(ids)
    with occurring_tokens(model, [encoded], "cpu", enabled=True):
        some = model.bert.embeddings.word_embeddings
        assert len(some.weight) < 25
        assert torch.equal(some(ids), expected)
    assert model.get_input_embeddings() is whole


def test_a_table_that_is_shared_is_left_alone(world: type[World]):
    from transformers import T5Config, T5ForConditionalGeneration

    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    model = T5ForConditionalGeneration(T5Config(vocab_size=60, decoder_start_token_id=0, **sizes))
    _, encoded, _ = world("bert").material()
    whole = model.get_input_embeddings()
    with occurring_tokens(model, [encoded], "cpu", enabled=True):
        assert model.get_input_embeddings() is whole


def last_layers(model):
    base = model.base_model
    if hasattr(base.encoder if hasattr(base, "encoder") else base, "albert_layer_groups"):
        return base.encoder.albert_layer_groups
    return (base.transformer if hasattr(base, "transformer") else base.encoder).layer


def test_an_unknown_model_is_padded(world: type[World], recipe, equal_weights):
    models = []
    for techniques in (Techniques(), PLAIN):
        models.append(without_dropout(world("bert").model()))
        models[-1].set_attn_implementation("eager")
        train(models[-1], *world("bert").material(), FP32, recipe(techniques=techniques))
    encoder, encoded, _ = world("bert").material()
    with layout_for(models[0], encoder, encoded, FP32, Techniques()) as (layout, _):
        assert isinstance(layout, Padded)
    assert equal_weights(*models, atol=2e-5)


def test_a_model_whose_code_has_changed_is_padded(world: type[World]):
    encoder, encoded, _ = world("bert").material()
    model = world("bert").model()
    layer = last_layers(model)[-1]
    usual = layer.forward
    kept = type(layer).forward
    type(layer).forward = lambda self, *given, **named: 2 * kept(self, *given, **named)
    try:
        with layout_for(model, encoder, encoded, FP32, Techniques()) as (layout, _):
            assert isinstance(layout, Padded)
    finally:
        type(layer).forward = kept
    assert layer.forward == usual


def test_accumulated_batches_are_one_large_batch(trained, equal_weights):
    accumulated = trained("bert", PLAIN, batch_size=4, gradient_accumulation=4)
    assert equal_weights(accumulated, trained("bert", PLAIN, batch_size=16))


def test_a_steps_loss_is_that_of_torch_with_weights_and_smoothing(world: type[World], recipe):
    from functools import partial

    from pytest_modelcompare.training.losses import classification_losses
    from pytest_modelcompare.training.recipe import Extras

    encoder, encoded, labels = world("bert").material(8)
    model = without_dropout(world("bert").model())
    batch = encoder.batch(encoded, np.arange(8), "cpu")
    with torch.no_grad():
        losses = torch.nn.functional.cross_entropy(
            model(**batch).logits, torch.from_numpy(labels), reduction="none", label_smoothing=0.1
        ).numpy()
    weights = np.array([1.0, 2.0, 3.0], np.float32)[labels]
    one_step = recipe(batch_size=8, max_steps=1)
    smooth = partial(classification_losses, label_smoothing=0.1)
    found = train(model, encoder, encoded, labels, FP32, one_step, losses_of=smooth, extras=Extras(weights))
    assert found.loss == pytest.approx(float((losses * weights).sum() / weights.sum()), rel=1e-5)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_as_fp32_does(world: type[World], recipe, precision):
    losses = []
    for one in (precision, "fp32"):
        model = without_dropout(world("bert").model())
        found = train(model, *world("bert").material(), Device("cpu", one, ""), recipe(epochs=5, learning_rate=3e-3))
        losses.append(found.loss)
        assert all(weights.dtype == torch.float32 for weights in model.parameters())
    assert losses[0] == pytest.approx(losses[1], abs=0.01)
    assert losses[0] != losses[1]
