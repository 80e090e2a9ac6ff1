"""`fine_tune: MODEL`: train all weights of a pretrained encoder with a classification head."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from pytest_modelcompare.contestants.base import LocalMethod, NotYet, Predictor, Settings, Work
from pytest_modelcompare.contestants.local import LocalPredictor, cut_note, rows_to_predict, scored, training_rows
from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.classify import Classifier
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.inference.digest import weights_digest
from pytest_modelcompare.inference.memory import PeakMemory, folder_mb, weights_mb
from pytest_modelcompare.inference.precision import freeze_for_inference, keep_head_in_fp32
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights, quiet, random_weights
from pytest_modelcompare.inference.reference import model_folder
from pytest_modelcompare.inference.tokens import Encoder
from pytest_modelcompare.records import Device, Footprint, Outcome
from pytest_modelcompare.training.loop import Recipe, train
from pytest_modelcompare.training.seeding import seeded


class FineTuneSettings(Settings):
    """All weights are trained; any model with a sequence-classification head."""

    main: ClassVar[str] = "model"

    model: str = Field(min_length=1)
    """Hub id[@revision], a path, or `package:MODULE/SUBPATH` (weights inside an installed package)."""

    epochs: float = Field(default=3.0, gt=0, le=1000)
    """Passes over the training rows; may be a fraction."""

    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    """The highest learning rate, reached after warm-up; decays linearly to 0."""

    batch_size: int = Field(default=32, ge=1, le=65536)
    """Training rows per step."""

    max_length: int | None = Field(default=None, ge=4)
    """Texts are cut at this many tokens; by default the model's limit, at most 512."""

    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of the steps over which the learning rate rises from 0."""

    weight_decay: float = Field(default=0.01, ge=0, le=1)
    """AdamW's decay; biases and norms are spared."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` takes bf16 where a short probe shows that it pays."""

    seeds: list[int] = Field(default=[42], min_length=1)
    """One training per seed. With three or more, gates are about the recipe's mean."""

    weights: Literal["safetensors", "pickle"] = "safetensors"
    """`pickle` also accepts weights in torch's own format, read with `weights_only=True`."""

    serve: Annotated[Literal["torch", "onnx", "onnx-int8"], NotYet()] = "torch"
    """What predicts: torch, or the model exported to ONNX."""

    head: Annotated[Literal["classification", "text_to_text"], NotYet()] = "classification"
    """A classification head, or the label's name as generated text."""

    prefix: Annotated[str | None, NotYet()] = None
    """Put before every text, e.g. a task name for T5."""

    early_stopping: Annotated[int | None, NotYet()] = None
    """Stop after this many epochs without a better validation loss."""

    @field_validator("seeds")
    @classmethod
    def each_seed_once(cls, seeds: list[int]) -> list[int]:
        """One training counted twice would pass for no variance between trainings."""
        if len(set(seeds)) < len(seeds):
            raise ValueError("every seed once: a repeated one trains the same model again")
        if any(not 0 <= seed < 2**63 for seed in seeds):
            raise ValueError("seeds lie between 0 and 2**63 - 1")
        return seeds


class FineTune(LocalMethod):
    """Trains, keeps model and tokenizer as safetensors, predicts."""

    key: ClassVar[str] = "fine_tune"
    engine_version: ClassVar[int] = 1
    settings: ClassVar[type[Settings]] = FineTuneSettings

    def weights_digest(self, settings: FineTuneSettings, base: Path) -> str:
        return weights_digest(settings.model, base, settings.weights)

    def run(self, settings: FineTuneSettings, work: Work) -> Outcome:
        import torch
        import transformers  # noqa: F401  # before the memory is measured

        rows, test = training_rows(work), rows_to_predict(work)
        device = choose_device(work.device, settings.precision)
        folder = work.folder / "model"
        try:
            with seeded(work.seed, device.kind), PeakMemory(device.kind) as training:
                start = time.perf_counter()
                model, encoder = model_to_train(settings, work)
                head = keep_head_in_fp32(model.to(device.kind), len(work.dataset.labels))
                recipe = recipe_of(settings, work)
                train(model, encoder, encoder.encode(rows.texts), rows.labels, device, recipe, work.progress)
                seconds = time.perf_counter() - start
        except torch.OutOfMemoryError as error:
            raise ModelError("out of memory", where=settings.model, fix="lower batch_size or max_length") from error
        keep(model, encoder, folder)
        classifier = Classifier(freeze_for_inference(model, device, head), encoder, device)
        with PeakMemory(device.kind) as inference:
            encoded = encoder.encode(test.texts)
            predictions = scored(classifier.logits(encoded, watch=work.progress), "softmax")
        parameters = sum(weights.numel() for weights in model.parameters())
        megabytes = weights_mb(model) + inference.mb
        footprint = Footprint(seconds, training.mb, megabytes, folder_mb(folder), parameters)
        notes = cut_note(encoder.share_cut(encoded), encoder.max_length)
        return Outcome(predictions, footprint, device, notes)

    def load(self, folder: Path, settings: FineTuneSettings, work: Work) -> Predictor:
        device = choose_device(work.device, settings.precision)
        classifier = load_classifier(folder / "model", settings, device)
        with PeakMemory(device.kind) as memory:
            classifier.predict(work.dataset.test.texts[:32])
        return LocalPredictor(classifier.predict, classifier.encoder, weights_mb(classifier.model) + memory.mb)


def keep(model: Any, encoder: Encoder, folder: Path) -> None:
    """Write weights and tokenizer.

    Raises:
        OSError: the disk is full; safetensors has an error of its own for that.
    """
    from safetensors import SafetensorError

    try:
        with quiet():
            model.save_pretrained(folder)
            encoder.tokenizer.save_pretrained(folder)
    except SafetensorError as error:
        raise OSError(errno.ENOSPC, str(error)) from error


def model_to_train(settings: FineTuneSettings, work: Work) -> tuple[Any, Encoder]:
    """The pretrained model with a new head for the suite's labels, and its tokenizer."""
    from transformers import AutoModelForSequenceClassification

    where = settings.model
    folder = model_folder(where, work.base, weights=None if work.smoke else settings.weights)
    names = dict(enumerate(work.dataset.labels))
    config = load_config(folder, where, num_labels=len(names), id2label=names, label2id=work.dataset.label_number())
    config.problem_type = "single_label_classification"
    encoder = load_tokenizer(folder, config, settings.max_length, where)
    if config.pad_token_id is None:
        config.pad_token_id = encoder.tokenizer.pad_token_id
    if work.smoke:
        return random_weights(AutoModelForSequenceClassification, config, where), encoder
    return load_weights(AutoModelForSequenceClassification, folder, config, settings.weights, where), encoder


def load_classifier(folder: Path, settings: FineTuneSettings, device: Device) -> Classifier:
    """A fine-tuned model as it was kept."""
    from transformers import AutoModelForSequenceClassification

    where = str(folder)
    config = load_config(folder, where)
    encoder = load_tokenizer(folder, config, settings.max_length, where)
    model = load_weights(AutoModelForSequenceClassification, folder, config, "safetensors", where)
    head = keep_head_in_fp32(model, config.num_labels)
    return Classifier(freeze_for_inference(model, device, head), encoder, device)


def recipe_of(settings: FineTuneSettings, work: Work) -> Recipe:
    """How to train, as the suite says; two steps in a smoke run."""
    return Recipe(
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        warmup=settings.warmup,
        weight_decay=settings.weight_decay,
        seed=work.seed,
        max_steps=2 if work.smoke else None,
    )
