from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.random_models import (
    architecture_of,
    guess_note,
    known_folder,
    random_weights,
    shrink_config,
    small_config,
)

CLASSIFIERS = [
    *("bert", "roberta", "distilbert", "albert", "electra", "deberta-v2"),
    *("xlnet", "modernbert", "mpnet", "t5", "bart"),
]
GUESSES = {
    "google-bert/bert-base-uncased": "bert",
    "FacebookAI/roberta-base@main": "roberta",
    "distilbert/distilroberta-base": "roberta",
    "distilbert/distilbert-base-uncased": "distilbert",
    "microsoft/deberta-v3-base": "deberta-v2",
    "answerdotai/ModernBERT-base": "modernbert",
    "google/flan-t5-small": "t5",
    "xlnet/xlnet-base-cased": "xlnet",
    "sentence-transformers/all-MiniLM-L6-v2": "bert",
    "acme/support-router": "bert",
}


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch):
    """No network, whatever machine the tests run on."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    def unanswered(*_: object, **__: object):
        raise OfflineModeIsEnabled("no network")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", unanswered)


@pytest.mark.parametrize(("reference", "expected"), GUESSES.items())
def test_a_name_suggests_an_architecture(reference: str, expected: str):
    assert architecture_of(reference, [*CLASSIFIERS, "deberta", "led", "opt"], "bert") == expected


@pytest.mark.parametrize("architecture", CLASSIFIERS)
def test_a_small_model_keeps_architecture_and_labels(architecture: str):
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = shrink_config(AutoConfig.for_model(architecture, num_labels=5))
    model = random_weights(AutoModelForSequenceClassification, config, architecture)
    assert model.config.model_type == architecture
    assert model.config.num_labels == 5
    assert (model.config.num_hidden_layers, model.config.hidden_size) == (2, 32)


def test_where_the_hub_is_silent_the_name_decides(silent_hub: None, tmp_path: Path):
    from transformers import AutoModelForSeq2SeqLM

    reference = "acme/t5-never-published"
    config, encoder = small_config(reference, tmp_path, AutoModelForSeq2SeqLM, ["some text", "world"], max_length=700)
    assert config.model_type == "t5"
    (ids,) = encoder.encode(["some text"]).columns["input_ids"]
    assert list(ids)[-1] == config.eos_token_id
    assert guess_note(reference, tmp_path) == (
        "`acme/t5-never-published` cannot be fetched here: a small random model stands in, "
        "its architecture guessed by name",
    )


def test_a_model_that_the_hub_does_not_have_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from huggingface_hub.errors import HfHubHTTPError

    response: Any = SimpleNamespace(status_code=404, headers={}, request=None)

    def not_found(*_: object, **__: object):
        raise HfHubHTTPError("404", response=response)

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", not_found)
    with pytest.raises(ModelError, match="the model hub does not give it"):
        known_folder("acme/mistyped", tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(ModelError, match="there is no such model folder"):
        known_folder("./nowhere", tmp_path)
