"""`fine_tune: MODEL`: train all weights of a pretrained model, with a head that classifies or generates the label."""

from __future__ import annotations

import errno
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from pytest_modelcompare.contestants import serving
from pytest_modelcompare.contestants.base import LocalMethod, Predictor, Settings, Work
from pytest_modelcompare.contestants.local import (
    LocalPredictor,
    cut_note,
    few_rows,
    rows_to_predict,
    scored,
    training_rows,
    validated,
)
from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.classify import Classifier
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.inference.digest import weights_digest
from pytest_modelcompare.inference.memory import PeakMemory, folder_mb, weights_mb
from pytest_modelcompare.inference.precision import freeze_for_inference, keep_head_in_fp32
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights, quiet
from pytest_modelcompare.inference.reference import model_folder
from pytest_modelcompare.inference.stand_in import random_weights, small_config
from pytest_modelcompare.inference.text_to_text import GenerationLosses, LabelScorer, label_tokens
from pytest_modelcompare.inference.token_cache import encode_once
from pytest_modelcompare.inference.tokens import Encoder
from pytest_modelcompare.records import Device, Footprint, Outcome, Predictions, Rows
from pytest_modelcompare.training.loop import Extras, NotFiniteError, Trained, Validation, train
from pytest_modelcompare.training.losses import RowLosses, classification_losses, row_weights
from pytest_modelcompare.training.recipe import Recipe
from pytest_modelcompare.training.seeding import seeded

if TYPE_CHECKING:
    import torch


class FineTuneSettings(Settings):
    """All weights are trained; any model with a sequence-classification head."""

    main: ClassVar[str] = "model"

    model: str = Field(min_length=1)
    """Hub id[@revision], a path, or `package:MODULE/SUBPATH` (weights inside an installed package)."""

    epochs: float = Field(default=3.0, gt=0, le=1000)
    """Passes over the training rows; may be a fraction."""

    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    """The highest learning rate, reached after the warm-up."""

    batch_size: int = Field(default=32, ge=1, le=65536)
    """Training rows per batch. What is computed at once is smaller where memory does not suffice."""

    gradient_accumulation: int = Field(default=1, ge=1, le=65536)
    """Batches per optimiser step: their gradients are summed, as if they were one batch."""

    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the learning rate goes on after the warm-up: down to 0 in a line or in half a cosine, or not at all."""

    max_length: int | None = Field(default=None, ge=4)
    """Texts are cut at this many tokens; by default the model's limit, at most 512."""

    warmup: float = Field(default=0.06, ge=0, lt=1)
    """Share of the steps over which the learning rate rises from 0."""

    weight_decay: float = Field(default=0.01, ge=0, le=1)
    """AdamW's decay; biases and norms are spared."""

    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of every row's target that is spread over all labels."""

    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """What a row's loss counts, by its label: `balanced` makes all labels count the same, as in scikit-learn; or a
    weight by label name, 1 where none is given."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """`auto` takes bf16 where a short probe shows that it pays, and fp16 on a CUDA device that has no bf16. Where the
    loss becomes no number, training begins once more in fp32."""

    seeds: list[int] = Field(default=[42], min_length=1)
    """One training per seed. With three or more, gates are about the recipe's mean."""

    weights: Literal["safetensors", "pickle"] = "safetensors"
    """`pickle` also accepts weights in torch's own format, read with `weights_only=True`."""

    serve: Literal["torch", "onnx", "onnx-int8"] = "torch"
    """What predicts, and is judged: torch, or the model exported to ONNX and run by onnxruntime, in fp32 or with int8
    weights (dynamic quantisation). Needs the extra `onnx`. Contestants that differ in this alone train once."""

    head: Literal["classification", "text_to_text"] = "classification"
    """A classification head, or (encoder-decoders) the label's name as generated text, scored by its likelihood."""

    prefix: str | None = Field(default=None, min_length=1)
    """Put before every text with a space between, e.g. a task name for T5."""

    early_stopping: int | None = Field(default=None, ge=1)
    """Stop after this many epochs without a better validation loss, and keep the weights with the best one."""

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
    engine_version: ClassVar[int] = 2
    settings: ClassVar[type[Settings]] = FineTuneSettings

    def weights_digest(self, settings: FineTuneSettings, base: Path) -> str:
        return weights_digest(settings.model, base, settings.weights)

    def run(self, settings: FineTuneSettings, work: Work) -> Outcome:
        import transformers  # noqa: F401  # before the memory is measured

        test, folder = rows_to_predict(work), work.folder / "model"
        device, started = choose_device(work.device, settings.precision), time.perf_counter()
        with PeakMemory(device.kind) as training:
            model, encoder, head, trained, device = fit_somehow(settings, work, device)
        seconds = time.perf_counter() - started + trained.seconds_before
        keep(model, encoder, folder)
        frozen = freeze_for_inference(model, device, head)
        classifier = classifier_of(frozen, encoder, device, settings, work.dataset.labels)
        with PeakMemory(device.kind) as inference:
            encoded = encode_once(encoder, test.texts, work.tokens, work.folder)
            predictions = scored(classifier.logits(encoded, watch=work.progress), "softmax")
        parameters = sum(weights.numel() for weights in model.parameters())
        megabytes = weights_mb(model) + inference.mb
        footprint = Footprint(seconds, training.mb, megabytes, folder_mb(folder), parameters)
        notes = (*cut_note(encoder.share_cut(encoded), encoder.max_length), *trained.notes)

        def predict(rows: Rows) -> Predictions:
            encoded = encode_once(encoder, rows.texts, work.tokens, work.folder)
            return scored(classifier.logits(encoded, watch=work.progress), "softmax")

        return Outcome(predictions, footprint, device, notes, validated(work, predict))

    def trained_as(self, settings: FineTuneSettings) -> FineTuneSettings | None:
        return None if settings.serve == "torch" else settings.model_copy(update={"serve": "torch"})

    def serve(self, settings: FineTuneSettings, work: Work, trained: Path, footprint: Footprint) -> Outcome:
        return serving.serve(settings, work, trained, footprint)

    def devices(self, settings: FineTuneSettings) -> tuple[str, ...]:
        return serving.devices(settings.serve)

    def load(self, folder: Path, settings: FineTuneSettings, work: Work) -> Predictor:
        if settings.serve != "torch":
            return serving.load(settings, folder, work)
        config = load_config(folder / "model", str(folder))
        device = choose_device(work.device, getattr(config, "trained_in", settings.precision))
        classifier = load_classifier(folder / "model", settings, device)
        with PeakMemory(device.kind) as memory:
            classifier.predict(work.dataset.test.texts[:32])
        return LocalPredictor(classifier.predict, classifier.encoder, weights_mb(classifier.model) + memory.mb)


def fit_somehow(
    settings: FineTuneSettings, work: Work, device: Device
) -> tuple[Any, Encoder, torch.nn.Module | None, Trained, Device]:
    """`fit`, once more in fp32 where the loss becomes no number; and the device and precision that it was fitted on.

    Raises:
        NotFiniteError: in fp32 too.
        ModelError: out of memory.
    """
    import torch

    try:
        return *fit(settings, work, device), device
    except torch.OutOfMemoryError as error:
        raise ModelError(
            "out of memory", where=settings.model, fix="lower max_length, or take a smaller model"
        ) from error
    except NotFiniteError as error:
        if device.precision == "fp32":
            raise
        why = f"in {device.precision} the {error.what.partition('the ')[2]}"
    device = Device(device.kind, "fp32", why)
    model, encoder, head, trained = fit(settings, work, device)
    model.config.trained_in = "fp32"  # kept with the model, so that it is served as it was trained
    return model, encoder, head, trained, device


def fit(settings: FineTuneSettings, work: Work, device: Device) -> tuple[Any, Encoder, torch.nn.Module | None, Trained]:
    """The trained model, its tokenizer, its last layer and what training it was like, from the seed on.

    Raises:
        NotFiniteError: the loss is no longer a number.
    """
    rows, dataset = training_rows(work), work.dataset
    with seeded(work.seed, device.kind):
        model, encoder = model_to_train(settings, work)
        head = keep_head_in_fp32(model.to(device.kind), outputs_of(model, settings))
        encoded = encode_once(encoder, rows.texts, work.tokens, work.folder)
        extras = Extras(
            row_weights(rows.labels, dataset.labels, settings.class_weights),
            validation_of(settings, work, encoder),
            None if work.checkpoints is None else work.checkpoints / device.precision,
        )
        losses = losses_of(settings, encoder, dataset.labels)
        recipe = recipe_of(settings, work)
        trained = train(model, encoder, encoded, rows.labels, device, recipe, work.progress, losses, extras)
    return model, encoder, head, trained


def validation_of(settings: FineTuneSettings, work: Work, encoder: Encoder) -> Validation | None:
    """The rows that early stopping looks at; a few of them in a smoke run."""
    rows = work.dataset.validation
    if settings.early_stopping is None or rows is None:
        return None
    rows = few_rows(rows) if work.smoke else rows
    encoded = encode_once(encoder, rows.texts, work.tokens, work.folder)
    return Validation(encoded, rows.labels, row_weights(rows.labels, work.dataset.labels, settings.class_weights))


def keep(model: Any, encoder: Encoder, folder: Path) -> None:
    """Write weights and tokenizer.

    Raises:
        OSError: the disk is full; safetensors has an error of its own for that.
    """
    from safetensors import SafetensorError

    try:
        with quiet():
            model.save_pretrained(folder)
            encoder.tokenizer.model_max_length = encoder.max_length  # wherever it is loaded, texts are cut there
            encoder.tokenizer.save_pretrained(folder)
    except SafetensorError as error:
        raise OSError(errno.ENOSPC, str(error)) from error


def model_to_train(settings: FineTuneSettings, work: Work) -> tuple[Any, Encoder]:
    """The pretrained model with a new head for the suite's labels, and its tokenizer.

    Raises:
        ModelError: it is not there, cannot be loaded, or cannot have the head that the suite names.
    """
    where, auto_class = settings.model, auto_class_of(settings)
    names = dict(enumerate(work.dataset.labels))
    changes = {
        "num_labels": len(names),
        "id2label": names,
        "label2id": work.dataset.label_number(),
        "problem_type": "single_label_classification",
    }
    if work.smoke:
        texts = (*training_rows(work).texts, *names.values())
        config, encoder = small_config(
            where, work.base, auto_class, texts, max_length=settings.max_length, prefix=settings.prefix, changes=changes
        )
    else:
        folder = model_folder(where, work.base, weights=settings.weights)
        config = load_config(folder, where, **changes)
        encoder = load_tokenizer(folder, config, settings.max_length, where, settings.prefix)
    require_readable_head(config, encoder, settings)
    if config.pad_token_id is None:
        config.pad_token_id = encoder.tokenizer.pad_token_id
    if work.smoke:
        return random_weights(auto_class, config, where), encoder
    return load_weights(auto_class, folder, config, settings.weights, where), encoder


def load_classifier(folder: Path, settings: FineTuneSettings, device: Device) -> Classifier:
    """A fine-tuned model as it was kept."""
    where = str(folder)
    config = load_config(folder, where)
    encoder = load_tokenizer(folder, config, settings.max_length, where, settings.prefix)
    model = load_weights(auto_class_of(settings), folder, config, "safetensors", where)
    head = keep_head_in_fp32(model, outputs_of(model, settings))
    labels = [config.id2label[number] for number in range(config.num_labels)]
    return classifier_of(freeze_for_inference(model, device, head), encoder, device, settings, labels)


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
        schedule=settings.schedule,
        gradient_accumulation=settings.gradient_accumulation,
        early_stopping=settings.early_stopping,
    )
