"""Every architecture learns, agrees with transformers, and is kept whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer
from pytest_modelcompare.inference.text_to_text import label_tokens
from pytest_modelcompare.methods.fine_tune import FineTune, load_classifier
from pytest_modelcompare.methods.fitting import FineTuneSettings
from pytest_modelcompare.records import Device
from tests.methods.small_architectures import save_small
from tests.methods.small_models import LABELS, small_work

FP32 = Device("cpu", "fp32", "a test")


def slow(*names: str):
    return [pytest.param(name, marks=pytest.mark.slow) for name in names]


CLASSIFIERS = [
    *("bert", "t5", "xlnet"),
    *slow("roberta", "distilbert", "albert", "electra", "deberta_v2", "modernbert", "mpnet", "bart"),
]
GENERATORS = ["t5", *slow("t5_1_1", "bart")]
SENTENCEPIECE = ["t5", "xlnet", "albert", "deberta_v2"]


def settings_for(folder, **changes):
    given: dict[str, Any] = {
        "epochs": 30,
        "learning_rate": 3e-3,
        "batch_size": 8,
        "precision": "fp32",
        "weight_decay": 0.0,
    }
    return FineTuneSettings(model=str(folder), **(given | changes))


def trained_on_32_rows(architecture, tmp_path_factory, **changes):
    settings = settings_for(save_small(architecture, tmp_path_factory.mktemp("weights")), **changes)
    work = small_work(tmp_path_factory.mktemp("run"))
    return work, settings, FineTune().run(settings, work)


@pytest.fixture(scope="module")
def classifier(request, tmp_path_factory):
    return trained_on_32_rows(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def generator(request, tmp_path_factory):
    return trained_on_32_rows(request.param, tmp_path_factory, head="text_to_text", prefix="topic:")


def kept(work, auto_class):
    """The kept model and tokenizer, loaded with plain transformers."""
    import transformers

    folder = work.folder / "model"
    return (
        getattr(transformers, auto_class).from_pretrained(folder).eval(),
        transformers.AutoTokenizer.from_pretrained(folder),
    )


@pytest.mark.parametrize("classifier", CLASSIFIERS, indirect=True)
def test_thirty_two_rows_are_learnt_by_heart(classifier):
    work, settings, _ = classifier
    predictor = FineTune().load(work.folder, settings, work)
    assert np.array_equal(np.asarray(predictor.predict(work.dataset.train.texts)), work.dataset.train.labels)


@pytest.mark.parametrize("classifier", CLASSIFIERS, indirect=True)
def test_logits_are_those_of_transformers_own_padded_forward(classifier):
    import torch

    work, settings, _ = classifier
    texts = work.dataset.test.texts
    ours = load_classifier(work.folder / "model", settings, FP32)
    model, tokenizer = kept(work, "AutoModelForSequenceClassification")
    with torch.no_grad():
        padded = model(**tokenizer(list(texts), padding=True, return_tensors="pt")).logits.numpy()
    np.testing.assert_allclose(ours.logits(ours.encoder.encode(texts), batch_size=7), padded, atol=1e-4)


@pytest.mark.parametrize("classifier", CLASSIFIERS, indirect=True)
def test_a_kept_model_scores_as_the_run_did(classifier):
    from pytest_modelcompare.inference.classifiers import softmax

    work, settings, outcome = classifier
    again = load_classifier(work.folder / "model", settings, FP32)
    scores = softmax(again.logits(again.encoder.encode(work.dataset.test.texts)))
    np.testing.assert_allclose(scores, outcome.predictions.scores, atol=1e-6)


@pytest.mark.parametrize("generator", GENERATORS, indirect=True)
def test_the_label_text_is_generated(generator):
    work, settings, _ = generator
    model, tokenizer = kept(work, "AutoModelForSeq2SeqLM")
    texts = [f"topic: {text}" for text in work.dataset.train.texts]
    made = model.generate(**tokenizer(texts, padding=True, return_tensors="pt"), max_new_tokens=8, num_beams=1)
    expected = [LABELS[number] for number in work.dataset.train.labels]
    assert [text.strip() for text in tokenizer.batch_decode(made, skip_special_tokens=True)] == expected
    predictor = FineTune().load(work.folder, settings, work)
    assert np.array_equal(np.asarray(predictor.predict(work.dataset.train.texts)), work.dataset.train.labels)


@pytest.mark.parametrize("generator", GENERATORS, indirect=True)
def test_a_labels_score_is_the_log_likelihood_that_transformers_gives_its_text(generator):
    import torch

    work, settings, _ = generator
    texts = work.dataset.test.texts[:6]
    ours = load_classifier(work.folder / "model", settings, FP32)
    found = ours.logits(ours.encoder.encode(texts), batch_size=4)
    model, tokenizer = kept(work, "AutoModelForSeq2SeqLM")
    for row, text in enumerate(texts):
        for number, label in enumerate(LABELS):
            target = tokenizer(text_target=label, return_tensors="pt")["input_ids"]
            with torch.no_grad():  # the loss is minus the mean over the target's tokens
                loss = model(**tokenizer(f"topic: {text}", return_tensors="pt"), labels=target).loss.item()
            assert found[row, number] == pytest.approx(-loss * target.shape[1], abs=1e-4)


@pytest.mark.parametrize("generator", GENERATORS, indirect=True)
def test_a_kept_generator_scores_as_the_run_did(generator):
    from pytest_modelcompare.inference.classifiers import softmax

    work, settings, outcome = generator
    again = load_classifier(work.folder / "model", settings, FP32)
    scores = softmax(again.logits(again.encoder.encode(work.dataset.test.texts)))
    np.testing.assert_allclose(scores, outcome.predictions.scores, atol=1e-6)
    np.testing.assert_allclose(outcome.predictions.scores.sum(axis=1), 1)


def test_only_an_encoder_decoder_generates(bert_folder, tmp_path):
    with pytest.raises(ModelError, match=r"needs an encoder-decoder such as T5, and this is bert\n  leave `head` out"):
        FineTune().run(settings_for(bert_folder, head="text_to_text"), small_work(tmp_path / "run"))


def test_labels_that_are_one_to_the_tokenizer_are_refused(bert_folder):
    encoder = load_tokenizer(bert_folder, load_config(bert_folder, "small"), None, "small")
    with pytest.raises(ModelError, match="`nowhere` and `unheard` are the same"):  # [CLS] [UNK] [SEP] both
        label_tokens(encoder.tokenizer, ["card", "nowhere", "unheard"], "small")


@pytest.mark.parametrize("architecture", SENTENCEPIECE)
def test_a_literal_special_token_stays_text(architecture, tmp_path):
    folder = save_small(architecture, tmp_path)
    encoder = load_tokenizer(folder, load_config(folder, "small"), None, "small")
    tokenizer = encoder.tokenizer
    special = [token for token in tokenizer.all_special_tokens if token != tokenizer.unk_token]
    (plain,) = encoder.encode(["lost card"]).columns["input_ids"]
    own = sorted(set(np.asarray(plain).tolist()) & set(tokenizer.all_special_ids))
    for token in special:
        for text in (f"lost {token} card", f"{token}card", token):
            (ids,) = encoder.encode([text]).columns["input_ids"]
            found = [number for number in np.asarray(ids).tolist() if number in tokenizer.all_special_ids]
            assert sorted(set(found) - {tokenizer.unk_token_id}) == own, text
            assert all(found.count(number) == 1 for number in own), text


def test_a_text_with_an_end_token_in_it_does_not_break_t5(tmp_path):
    settings = settings_for(save_small("t5", tmp_path / "weights"), epochs=0.1)
    work = small_work(tmp_path / "run")
    FineTune().run(settings, work)
    classifier = load_classifier(work.folder / "model", settings, FP32)
    alone = classifier.logits(classifier.encoder.encode(["lost </s> card </s>"]))
    beside = classifier.logits(classifier.encoder.encode(["lost </s> card </s>", "money"]))
    np.testing.assert_allclose(beside[0], alone[0], atol=1e-5)


def test_xlnet_takes_texts_of_two_thousand_tokens(tmp_path):
    import torch

    settings = settings_for(save_small("xlnet", tmp_path / "weights"), epochs=0.1, max_length=2100)
    work = small_work(tmp_path / "run")
    outcome = FineTune().run(settings, work)
    assert outcome.notes == ()
    classifier = load_classifier(work.folder / "model", settings, FP32)
    long = "lost card " * 1000
    encoded = classifier.encoder.encode([long, "money"])
    assert encoded.lengths[0] == 2002  # and <sep>, <cls>
    model, tokenizer = kept(work, "AutoModelForSequenceClassification")
    with torch.no_grad():
        whole = model(**tokenizer(long, return_tensors="pt")).logits.numpy()
    np.testing.assert_allclose(classifier.logits(encoded)[:1], whole, atol=1e-4)


def test_what_a_tokenizer_was_trained_with_is_no_limit_where_positions_are_relative(tmp_path):
    folder = save_small("t5", tmp_path)  # its tokenizer says 32
    config = load_config(folder, "small")
    assert load_tokenizer(folder, config, None, "small").max_length == 32
    assert load_tokenizer(folder, config, 700, "small").max_length == 700


def test_a_prefix_stands_before_every_text(tmp_path):
    folder = save_small("t5", tmp_path)
    config = load_config(folder, "small")
    with_prefix = load_tokenizer(folder, config, None, "small", "card:").encode(["lost money", "help"])
    written_out = load_tokenizer(folder, config, None, "small").encode(["card: lost money", "card: help"])
    assert [np.asarray(ids).tolist() for ids in with_prefix.columns["input_ids"]] == [
        np.asarray(ids).tolist() for ids in written_out.columns["input_ids"]
    ]


def test_a_kept_model_cuts_texts_where_it_was_trained_to(bert_folder, tmp_path):
    work = small_work(tmp_path / "run")
    FineTune().run(settings_for(bert_folder, epochs=0.1, max_length=6), work)
    _, tokenizer = kept(work, "AutoModelForSequenceClassification")
    assert tokenizer.model_max_length == 6


@pytest.mark.parametrize("head", ["classification", "text_to_text"])
def test_in_bf16_too_a_kept_t5_scores_as_the_run_did(head, tmp_path):
    from pytest_modelcompare.inference.classifiers import softmax

    settings = settings_for(save_small("t5", tmp_path / "weights"), epochs=1, precision="bf16", head=head)
    work = small_work(tmp_path / "run")
    outcome = FineTune().run(settings, work)
    again = load_classifier(work.folder / "model", settings, Device("cpu", "bf16", "a test"))
    scores = softmax(again.logits(again.encoder.encode(work.dataset.test.texts)))
    np.testing.assert_allclose(scores, outcome.predictions.scores, atol=1e-6)
