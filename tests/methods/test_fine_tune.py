from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.methods.fine_tune import FineTune, load_classifier
from pytest_modelcompare.records import Device
from pytest_modelcompare.training.losses import classification_losses
from pytest_modelcompare.training.recipe import NotFiniteError
from tests.methods.small_models import settings_for, small_work

FP32 = Device("cpu", "fp32", "a test")


@pytest.fixture(scope="module")
def trained(bert_folder, tmp_path_factory):
    work = small_work(tmp_path_factory.mktemp("run"))
    settings = settings_for(bert_folder)
    return work, settings, FineTune().run(settings, work)


def test_thirty_two_rows_are_learnt_by_heart(trained):
    work, settings, _ = trained
    predictor = FineTune().load(work.folder, settings, work)
    assert np.array_equal(np.asarray(predictor.predict(work.dataset.train.texts)), work.dataset.train.labels)


def test_logits_are_those_of_transformers_row_by_row(trained):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    work, settings, _ = trained
    texts = work.dataset.test.texts
    classifier = load_classifier(work.folder / "model", settings, FP32)
    ours = classifier.logits(classifier.encoder.encode(texts), batch_size=7)
    model = AutoModelForSequenceClassification.from_pretrained(work.folder / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(work.folder / "model")
    with torch.no_grad():
        theirs = [model(**tokenizer(text, return_tensors="pt")).logits[0].numpy() for text in texts]
        padded = model(**tokenizer(list(texts), padding=True, return_tensors="pt")).logits.numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours, padded, atol=1e-5)


def test_a_kept_model_predicts_what_the_run_predicted(trained):
    work, settings, outcome = trained
    predictor = FineTune().load(work.folder, settings, work)
    assert np.array_equal(np.asarray(predictor.predict(work.dataset.test.texts)), outcome.predictions.labels)


def test_in_bf16_too_a_kept_model_predicts_what_the_run_predicted(bert_folder, tmp_path):
    work, settings = small_work(tmp_path / "run"), settings_for(bert_folder, precision="bf16", epochs=2)
    outcome = FineTune().run(settings, work)
    classifier = load_classifier(work.folder / "model", settings, Device("cpu", "bf16", "a test"))
    logits = classifier.logits(classifier.encoder.encode(work.dataset.test.texts))
    assert logits.dtype == np.float32
    assert np.array_equal(logits.argmax(axis=1), outcome.predictions.labels)


def test_the_same_seed_gives_the_same_scores_and_another_seed_others(bert_folder, tmp_path):
    settings = settings_for(bert_folder, epochs=1)
    scores = [
        FineTune().run(settings, small_work(tmp_path / str(at), seed=seed)).predictions.scores
        for at, seed in enumerate([1, 1, 2])
    ]
    assert np.array_equal(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])


def test_training_leaves_the_callers_randomness_alone(bert_folder, tmp_path):
    import torch

    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    FineTune().run(settings_for(bert_folder, epochs=1), small_work(tmp_path / "run"))
    assert torch.equal(torch.rand(1), expected)


def test_scores_are_probabilities_and_the_footprint_is_measured(trained):
    _, _, outcome = trained
    np.testing.assert_allclose(outcome.predictions.scores.sum(axis=1), 1)
    assert outcome.footprint.train_seconds > 0
    # embeddings (20 + 32 + 2)·32 + 2·32; per layer 4·(32·32 + 32) + 2·32·64 + 64 + 32 + 4·32; pooler, head
    embeddings, layer = 54 * 32 + 64, 4 * 1056 + 2 * 2048 + 96 + 128
    assert outcome.footprint.parameters == embeddings + 2 * layer + 1056 + 33 * 3


def test_only_safetensors_and_text_are_kept(trained):
    work, _, _ = trained
    assert {path.suffix for path in (work.folder / "model").iterdir()} <= {".safetensors", ".json", ".txt"}


def test_a_loss_that_is_no_number_is_an_error_with_a_fix(bert_folder, tmp_path):
    settings = settings_for(bert_folder, learning_rate=1.0, weight_decay=1.0)
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    broken.mkdir()
    for path in bert_folder.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    weights = load_file(broken / "model.safetensors")
    weights["embeddings.word_embeddings.weight"].fill_(float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"loss is nan at step 1\n  lower the learning rate"):
        FineTune().run(settings.model_copy(update={"model": str(broken)}), small_work(tmp_path / "run"))


def test_rows_that_fill_the_limit_are_noted(bert_folder, tmp_path):
    outcome = FineTune().run(settings_for(bert_folder, epochs=1, max_length=4), small_work(tmp_path / "run"))
    # every text has two words or more, and with [CLS] and [SEP] four tokens or more
    assert outcome.notes == ("100.0% of the test rows fill 4 tokens or are cut there",)


def test_a_max_length_beyond_the_models_is_refused(bert_folder, tmp_path):
    with pytest.raises(ModelError, match=r"max_length 99 is more than the model can read\n  at most 32"):
        FineTune().run(settings_for(bert_folder, max_length=99), small_work(tmp_path / "run"))


def test_a_smoke_run_takes_two_steps(bert_folder, tmp_path):
    seen: list[Any] = []
    work = small_work(tmp_path / "run", smoke=True)
    object.__setattr__(work, "progress", seen.append)
    FineTune().run(settings_for(bert_folder), work)
    assert [(step.done, step.total) for step in seen if "loss" in step.note] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("kind", ["distilbert", "roberta", "t5"])
def test_other_architectures_train_and_predict(kind, tmp_path):
    import transformers as hf

    from tests.methods.small_models import tokenizer_of_words

    common = {"vocab_size": 20, "pad_token_id": 0, "eos_token_id": 3}
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    model = {
        "distilbert": lambda: hf.DistilBertModel(
            hf.DistilBertConfig(**common, dim=16, n_layers=1, n_heads=2, hidden_dim=32)
        ),
        "roberta": lambda: hf.RobertaModel(hf.RobertaConfig(**common, **small, max_position_embeddings=34)),
        "t5": lambda: hf.T5ForConditionalGeneration(
            hf.T5Config(**common, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0)
        ),
    }[kind]()
    model.save_pretrained(tmp_path / "model")
    tokenizer_of_words().save_pretrained(tmp_path / "model")
    work = small_work(tmp_path / "run")
    settings = settings_for(tmp_path / "model", epochs=1)
    outcome = FineTune().run(settings, work)
    assert np.isfinite(outcome.predictions.scores).all()
    predicted = FineTune().load(work.folder, settings, work).predict(work.dataset.test.texts)
    assert np.array_equal(np.asarray(predicted), outcome.predictions.labels)


def test_in_bf16_a_loss_that_is_no_number_is_tried_once_more_in_fp32(bert_folder, tmp_path, monkeypatch):
    from pytest_modelcompare.methods import fitting

    usual = classification_losses
    precisions = []

    def losses(model, batch, labels, label_smoothing):
        import torch

        half = torch.is_autocast_enabled("cpu")
        precisions.append("bf16" if half else "fp32")
        found = usual(model, batch, labels, label_smoothing)
        return found * float("nan") if half and len(precisions) == 2 else found

    monkeypatch.setattr(fitting, "classification_losses", losses)
    settings = settings_for(bert_folder, precision="bf16", epochs=1)
    outcome = FineTune().run(settings, small_work(tmp_path / "run"))
    assert precisions == ["bf16", "bf16", "fp32", "fp32", "fp32", "fp32"]
    device = outcome.device
    assert (device.kind, device.precision, device.reason) == ("cpu", "fp32", "in bf16 the loss is nan at step 2")
    # once more from the beginning: as if it had been trained in fp32 at once
    monkeypatch.undo()
    at_once = FineTune().run(settings_for(bert_folder, precision="fp32", epochs=1), small_work(tmp_path / "fp32"))
    assert np.array_equal(outcome.predictions.scores, at_once.predictions.scores)


def test_what_was_trained_in_fp32_after_all_is_served_in_fp32(bert_folder, tmp_path, monkeypatch):
    from pytest_modelcompare.methods import fine_tune, fitting

    asked = []
    usual = choose_device
    monkeypatch.setattr(
        fine_tune, "choose_device", lambda kind, precision: asked.append(precision) or usual(kind, precision)
    )
    fit = fitting.fit

    def failing(settings, work, device):
        if device.precision == "bf16":
            raise NotFiniteError("training failed: the loss is nan at step 1")
        return fit(settings, work, device)

    monkeypatch.setattr(fitting, "fit", failing)
    settings, work = settings_for(bert_folder, precision="bf16", epochs=1), small_work(tmp_path / "run")
    outcome = FineTune().run(settings, work)
    predicted = FineTune().load(work.folder, settings, work).predict(work.dataset.test.texts)
    assert asked == ["bf16", "fp32"]
    assert np.array_equal(np.asarray(predicted), outcome.predictions.labels)


def test_options_reach_the_recipe(bert_folder, tmp_path):
    from pytest_modelcompare.methods.fitting import recipe_of

    settings = settings_for(bert_folder, schedule="cosine", gradient_accumulation=4, early_stopping=2)
    recipe = recipe_of(settings, small_work(tmp_path / "run"))
    assert (recipe.schedule, recipe.rows_per_step, recipe.early_stopping) == ("cosine", 32, 2)


def test_a_heavy_label_is_answered_more_often(bert_folder, tmp_path):
    shares = []
    for weights in ({"card": 1e-6}, {"card": 1e6}):
        settings = settings_for(bert_folder, epochs=2, class_weights=weights)
        outcome = FineTune().run(settings, small_work(tmp_path / str(weights["card"])))
        shares.append((outcome.predictions.labels == 0).mean())
    assert shares == [0.0, 1.0]


def test_early_stopping_looks_at_the_validation_rows_and_says_so(bert_folder, tmp_path):
    from dataclasses import replace

    work = small_work(tmp_path / "run")
    work = replace(work, dataset=replace(work.dataset, validation=work.dataset.test))
    outcome = FineTune().run(settings_for(bert_folder, epochs=2, early_stopping=2), work)
    assert outcome.notes[-1].startswith("trained 2 epochs; kept the weights after epoch ")


def test_texts_are_tokenised_once_for_all_seeds(bert_folder, tmp_path):
    from dataclasses import replace

    for seed in (1, 2):
        work = replace(small_work(tmp_path / str(seed), seed=seed), tokens=tmp_path / "tokens")
        FineTune().run(settings_for(bert_folder, epochs=1), work)
    assert len(list((tmp_path / "tokens").iterdir())) == 2  # train and test
    assert sorted(path.name for path in work.folder.iterdir()) == ["model"]
