"""What answers with the label: a classification head, or an encoder-decoder that generates the label's name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from pytest_modelcompare.contestants.fine_tune_settings import FineTuneSettings
from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.classify import Classifier
from pytest_modelcompare.inference.text_to_text import GenerationLosses, LabelScorer, label_tokens
from pytest_modelcompare.inference.tokens import Encoder
from pytest_modelcompare.records import Device
from pytest_modelcompare.training.losses import RowLosses, classification_losses


def auto_class_of(settings: FineTuneSettings) -> Any:
    """transformers' class for the head that the suite names."""
    from transformers import AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

    return AutoModelForSeq2SeqLM if settings.head == "text_to_text" else AutoModelForSequenceClassification


def outputs_of(model: Any, settings: FineTuneSettings) -> int:
    """How many numbers the last layer gives: one per label, or one per token."""
    return int(model.config.vocab_size if settings.head == "text_to_text" else model.config.num_labels)


def losses_of(settings: FineTuneSettings, encoder: Encoder, labels: Sequence[str]) -> RowLosses:
    """What training minimises."""
    if settings.head == "classification":
        return partial(classification_losses, label_smoothing=settings.label_smoothing)
    return GenerationLosses(label_tokens(encoder.tokenizer, labels, settings.model), settings.label_smoothing)


def classifier_of(
    model: Any, encoder: Encoder, device: Device, settings: FineTuneSettings, labels: Sequence[str]
) -> Classifier:
    """A frozen model that answers with one score per label, whatever its head."""
    if settings.head == "classification":
        return Classifier(model, encoder, device)
    return Classifier(LabelScorer(model, label_tokens(encoder.tokenizer, labels, settings.model)), encoder, device)


def require_readable_head(config: Any, encoder: Encoder, settings: FineTuneSettings) -> None:
    """Generating needs a decoder; an encoder-decoder's classification head reads the end token, one in every row.

    Raises:
        ModelError: the model has not what the head needs.
    """
    if settings.head == "text_to_text":
        if not config.is_encoder_decoder:
            raise ModelError(
                f"`head: text_to_text` needs an encoder-decoder such as T5, and this is {config.model_type}",
                where=settings.model,
                fix="leave `head` out",
            )
    elif config.is_encoder_decoder:
        (ids,) = encoder.encode(["a"]).columns["input_ids"]
        if list(ids).count(config.eos_token_id) != 1:
            raise ModelError(
                "its tokenizer does not end a text with the end token that its classification head reads",
                where=settings.model,
                fix="give `tokenizer.json` a post-processor that does, or say `head: text_to_text`",
            )
