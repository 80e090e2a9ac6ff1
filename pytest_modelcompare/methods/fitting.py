"""From a suite's options to a trained model: what is loaded, how it is trained, what is tried where that fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.classifiers import Classifier
from pytest_modelcompare.inference.cores import torch_threads, training_threads
from pytest_modelcompare.inference.model_reference import model_folder
from pytest_modelcompare.inference.precision import keep_head_in_fp32
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
from pytest_modelcompare.inference.random_models import random_weights, small_config
from pytest_modelcompare.inference.text_to_text import GenerationLosses, LabelScorer, label_tokens
from pytest_modelcompare.inference.token_ids import Encoder, encode_once
from pytest_modelcompare.methods.local import Work, few_rows, training_rows
from pytest_modelcompare.records import Device
from pytest_modelcompare.settings import Settings
from pytest_modelcompare.training.losses import RowLosses, classification_losses, row_weights
from pytest_modelcompare.training.recipe import Extras, NotFiniteError, Recipe, Trained, Validation
from pytest_modelcompare.training.seeding import seeded_randomness

if TYPE_CHECKING:
    import torch


def fit_somehow(
    settings: FineTuneSettings, work: Work, device: Device
) -> tuple[Any, Encoder, torch.nn.Module | None, Trained, Device]:
    """`fit`, once more in fp32 where the loss becomes no number; and the device and precision that it was fitted on.

    Raises:
        NotFiniteError: in fp32 too.
        ModelError: out of memory.
    """
    from pytest_modelcompare.training.step import out_of_memory

    if device.kind == "cpu" and device.threads is not None:
        threads = training_threads(device.threads)
        device = replace(device, threads=threads.count, threads_because=threads.reason)
    try:
        return *fit(settings, work, device), device
    except (MemoryError, RuntimeError) as error:  # torch's own error on CUDA is a RuntimeError too
        if not out_of_memory(error):
            raise
        raise ModelError(
            "out of memory", where=settings.model, fix="lower max_length, or take a smaller model"
        ) from error
    except NotFiniteError as error:
        if device.precision == "fp32":
            raise
        why = f"in {device.precision} the {error.what.partition('the ')[2]}"
    device = replace(device, precision="fp32", reason=why)
    model, encoder, head, trained = fit(settings, work, device)
    model.config.trained_in = "fp32"  # kept with the model, so that it is served as it was trained
    return model, encoder, head, trained, device


def fit(settings: FineTuneSettings, work: Work, device: Device) -> tuple[Any, Encoder, torch.nn.Module | None, Trained]:
    """The trained model, its tokenizer, its last layer and what training it was like, from the seed on.

    Raises:
        NotFiniteError: the loss is no longer a number.
    """
    from pytest_modelcompare.training.loop import train

    rows, dataset = training_rows(work), work.dataset
    with seeded_randomness(work.seed, device.kind), torch_threads(device.threads):
        model, encoder = model_to_train(settings, work)
        head = keep_head_in_fp32(model.to(device.kind), outputs_of(model, settings))
        encoded = encode_once(encoder, rows.texts, work.tokens, work.folder)
        extras = Extras(
            row_weights(rows.labels, dataset.labels, settings.class_weights),
            validation_of(settings, work, encoder),
            None if work.checkpoints is None else work.checkpoints / device.precision,
            work.shared_device,
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

    @model_validator(mode="after")
    def a_graph_needs_a_head_that_classifies(self) -> Self:
        """Said before anything is trained: generating a label is a loop, and no graph of one pass."""
        if self.serve != "torch" and self.head != "classification":
            raise ValueError(f"`serve: {self.serve}` exports classification heads: leave `head` out, or `serve: torch`")
        return self

    @field_validator("seeds")
    @classmethod
    def each_seed_once(cls, seeds: list[int]) -> list[int]:
        """One training counted twice would pass for no variance between trainings."""
        if len(set(seeds)) < len(seeds):
            raise ValueError("every seed once: a repeated one trains the same model again")
        if any(not 0 <= seed < 2**63 for seed in seeds):
            raise ValueError("seeds lie between 0 and 2**63 - 1")
        return seeds


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
