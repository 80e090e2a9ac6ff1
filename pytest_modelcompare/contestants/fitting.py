"""From a suite's options to a trained model: what is loaded, how it is trained, what is tried where that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.contestants.base import Work
from pytest_modelcompare.contestants.fine_tune_settings import FineTuneSettings
from pytest_modelcompare.contestants.heads import auto_class_of, losses_of, outputs_of, require_readable_head
from pytest_modelcompare.contestants.local import few_rows, training_rows
from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.precision import keep_head_in_fp32
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights
from pytest_modelcompare.inference.reference import model_folder
from pytest_modelcompare.inference.stand_in import random_weights, small_config
from pytest_modelcompare.inference.threads import torch_threads, training_threads
from pytest_modelcompare.inference.token_cache import encode_once
from pytest_modelcompare.inference.tokens import Encoder
from pytest_modelcompare.records import Device
from pytest_modelcompare.training.loop import Extras, NotFiniteError, Trained, Validation, train
from pytest_modelcompare.training.losses import row_weights
from pytest_modelcompare.training.recipe import Recipe
from pytest_modelcompare.training.seeding import seeded

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
    rows, dataset = training_rows(work), work.dataset
    with seeded(work.seed, device.kind), torch_threads(device.threads):
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
