"""`fine_tune: MODEL`: train all weights of a pretrained model, with a head that classifies or generates the label."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Any, ClassVar

from pytest_modelcompare.inference.classifiers import Classifier
from pytest_modelcompare.inference.device import choose_device
from pytest_modelcompare.inference.memory import PeakMemory, folder_mb, weights_mb
from pytest_modelcompare.inference.model_reference import weights_digest
from pytest_modelcompare.inference.precision import freeze_for_inference, keep_head_in_fp32
from pytest_modelcompare.inference.pretrained import load_config, load_tokenizer, load_weights, quiet_transformers
from pytest_modelcompare.inference.token_ids import Encoder, encode_once
from pytest_modelcompare.methods import fitting, serving
from pytest_modelcompare.methods.fitting import FineTuneSettings, auto_class_of, classifier_of, outputs_of
from pytest_modelcompare.methods.local import (
    LocalMethod,
    LocalPredictor,
    Predictor,
    Work,
    cut_note,
    rows_to_predict,
    scored,
    validated,
)
from pytest_modelcompare.records import Device, Footprint, Outcome, Predictions, Rows
from pytest_modelcompare.settings import Settings


class FineTune(LocalMethod):
    """Trains, keeps model and tokenizer as safetensors, predicts."""

    key: ClassVar[str] = "fine_tune"
    engine_version: ClassVar[int] = 2
    serving_version: ClassVar[int] = 2
    shares_a_device: ClassVar[bool] = True
    is_exported: ClassVar[bool] = True
    settings: ClassVar[type[Settings]] = FineTuneSettings

    def weights_digest(self, settings: FineTuneSettings, base: Path) -> str:
        return weights_digest(settings.model, base, settings.weights)

    def run(self, settings: FineTuneSettings, work: Work) -> Outcome:
        import transformers  # noqa: F401  # before the memory is measured

        test, folder = rows_to_predict(work), work.folder / "model"
        device, started = choose_device(work.device, settings.precision), time.perf_counter()
        with PeakMemory(device.kind) as training:
            model, encoder, head, trained, device = fitting.fit_somehow(settings, work, device)
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

    def rehearse_serving(self, settings: FineTuneSettings, work: Work) -> None:
        serving.rehearse(settings, work)

    def libraries(self, settings: FineTuneSettings) -> tuple[str, ...]:
        served = () if settings.serve == "torch" else ("onnx", "onnxruntime")
        return (*served, "torch", "transformers")

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


def keep(model: Any, encoder: Encoder, folder: Path) -> None:
    """Write weights and tokenizer.

    Raises:
        OSError: the disk is full; safetensors has an error of its own for that.
    """
    from safetensors import SafetensorError

    try:
        with quiet_transformers():
            model.save_pretrained(folder)
            encoder.tokenizer.model_max_length = encoder.max_length  # wherever it is loaded, texts are cut there
            encoder.tokenizer.save_pretrained(folder)
    except SafetensorError as error:
        raise OSError(errno.ENOSPC, str(error)) from error


def load_classifier(folder: Path, settings: FineTuneSettings, device: Device) -> Classifier:
    """A fine-tuned model as it was kept."""
    where = str(folder)
    config = load_config(folder, where)
    encoder = load_tokenizer(folder, config, settings.max_length, where, settings.prefix)
    model = load_weights(auto_class_of(settings), folder, config, "safetensors", where)
    head = keep_head_in_fp32(model, outputs_of(model, settings))
    labels = [config.id2label[number] for number in range(config.num_labels)]
    return classifier_of(freeze_for_inference(model, device, head), encoder, device, settings, labels)
