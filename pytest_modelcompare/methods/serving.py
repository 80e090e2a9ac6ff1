"""A fine-tuned model in the form in which it would be deployed: exported, predicted with, timed."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.extras import installed_versions
from pytest_modelcompare.inference import onnx, onnx_export
from pytest_modelcompare.inference.device import device_kind
from pytest_modelcompare.inference.memory import PeakMemory, folder_mb, held_mb
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights, quiet_transformers
from pytest_modelcompare.inference.token_ids import Encoder
from pytest_modelcompare.methods import fitting
from pytest_modelcompare.methods.local import (
    LocalPredictor,
    Predictor,
    Work,
    cut_note,
    rows_to_predict,
    scored,
    validated,
)
from pytest_modelcompare.records import Footprint, Outcome, Predictions, Rows

if TYPE_CHECKING:
    from pytest_modelcompare.methods.fitting import FineTuneSettings

BATCH_SIZES = (4, 64, 256)
"""What throughput is tried with: of many texts, those of about equal length are computed together."""


def devices(serve: str) -> tuple[str, ...]:
    """Where a form can run: int8 products are the CPU's, and so is onnxruntime without its build for GPUs."""
    if serve == "torch":
        return ("cpu", "cuda", "mps")
    return ("cpu", "cuda") if serve == "onnx" and installed_versions(["onnxruntime-gpu"]) else ("cpu",)


def serve(settings: FineTuneSettings, work: Work, trained: Path, footprint: Footprint) -> Outcome:
    """Export what was trained, keep the graph, and predict the test rows with it.

    Args:
        trained: the folder of the training's run.
        footprint: of the training; its time and memory are this contestant's too, the export's time added.

    Raises:
        ModelError: the model cannot be exported.
    """
    test, folder = rows_to_predict(work), work.folder / "model"
    started = time.perf_counter()
    kept = write_graph(settings, trained / "model", folder, list(test.texts[:30]))
    seconds = time.perf_counter() - started
    classifier, held = loaded(settings, folder, work.device)
    with PeakMemory(classifier.device.kind) as inference:
        encoded = classifier.encoder.encode(test.texts)
        predictions = scored(classifier.logits(encoded, watch=work.progress), "softmax")

    def predict(rows: Rows) -> Predictions:
        return scored(classifier.logits(classifier.encoder.encode(rows.texts), watch=work.progress), "softmax")

    taken = Footprint(
        footprint.train_seconds + seconds,
        footprint.train_memory_mb,
        held + inference.mb,
        folder_mb(folder),
        footprint.parameters,
    )
    notes = (*cut_note(classifier.encoder.share_cut(encoded), classifier.encoder.max_length), *kept)
    return Outcome(predictions, taken, classifier.device, notes, validated(work, predict))


def rehearse(settings: FineTuneSettings, work: Work) -> None:
    """Export a small model of the same architecture with random weights.

    Raises:
        ModelError: this architecture cannot be exported.
    """
    model, encoder = fitting.model_to_train(settings, replace(work, smoke=True))
    model.set_attn_implementation("eager")
    model.eval().requires_grad_(False)
    texts = list(work.dataset.test.texts[:30])
    onnx_export.export_graph(model, encoder, texts, work.folder / onnx.GRAPH, settings.model)


def write_graph(settings: FineTuneSettings, trained: Path, folder: Path, texts: list[str]) -> tuple[str, ...]:
    """The graph, its tokenizer and configuration, as they would be deployed; returns what the record should say."""
    where = settings.model
    model, encoder = exportable(settings, trained, where)
    folder.mkdir(parents=True)
    graph = folder / onnx.GRAPH
    onnx_export.export_graph(model, encoder, texts, graph, where)
    notes = onnx_export.fuse_graph(graph, model, encoder, texts, where)
    if settings.serve == "onnx-int8":
        onnx_export.quantise_graph(graph, folder / "int8.onnx")
        (folder / "int8.onnx").replace(graph)
    for path in sorted(trained.iterdir()):
        if path.suffix != ".safetensors" and path.name != "model.safetensors.index.json":
            shutil.copy2(path, folder / path.name)
    return notes


def exportable(settings: FineTuneSettings, trained: Path, where: str) -> tuple[Any, Encoder]:
    """The trained model in fp32 with plain attention, whose graph onnxruntime can fuse, and its tokenizer."""
    from transformers import AutoModelForSequenceClassification

    config = load_config(trained, where)
    config._attn_implementation = "eager"
    encoder = load_tokenizer(trained, config, settings.max_length, where, settings.prefix)
    with quiet_transformers():
        model = load_weights(AutoModelForSequenceClassification, trained, config, "safetensors", where)
    return model.eval().requires_grad_(False), encoder


def load(settings: FineTuneSettings, folder: Path, work: Work) -> Predictor:
    """The graph that was kept, ready to be timed."""
    classifier, held = loaded(settings, folder / "model", work.device)
    with PeakMemory(classifier.device.kind) as memory:
        classifier.predict(work.dataset.test.texts[:32])
    return LocalPredictor(classifier.predict, classifier.encoder, held + memory.mb, BATCH_SIZES)


def loaded(settings: FineTuneSettings, folder: Path, requested: str) -> tuple[onnx.OnnxClassifier, float]:
    """The graph in a session on the device that was asked for, or on the CPU where it can run there alone; and the
    memory that the session holds, in 2**20 bytes."""
    where = str(folder)
    encoder = load_tokenizer(folder, load_config(folder, where), settings.max_length, where, settings.prefix)
    kind = device_kind(requested)
    if kind not in devices(settings.serve):
        kind = "cpu"
    precision = "int8" if settings.serve == "onnx-int8" else "fp32"
    return held_mb(lambda: onnx.load_graph(folder / onnx.GRAPH, encoder, precision, kind), kind)
