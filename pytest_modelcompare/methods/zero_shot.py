"""`zero_shot: ENCODER`: the nearest label description in embedding space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pytest_modelcompare.inference.memory import PeakMemory, weights_mb
from pytest_modelcompare.inference.model_reference import weights_digest
from pytest_modelcompare.methods.linear_probe import EncoderSettings, embedder_of
from pytest_modelcompare.methods.local import LocalMethod, LocalPredictor, Predictor, Work, rows_to_predict, scored
from pytest_modelcompare.records import Dataset, Footprint, Outcome
from pytest_modelcompare.records.traits import Traits
from pytest_modelcompare.settings import Settings


class ZeroShotSettings(EncoderSettings):
    """Nothing is trained: a text gets the label whose description is nearest to it."""


SHARPNESS = 20.0
"""Cosines are multiplied by this before softmax, as sentence encoders are trained (sentence-transformers)."""


class ZeroShot(LocalMethod):
    """Embeds every label's description once, then compares."""

    key: ClassVar[str] = "zero_shot"
    engine_version: ClassVar[int] = 1
    settings: ClassVar[type[Settings]] = ZeroShotSettings
    traits: ClassVar[Traits] = Traits(runs_here=True)

    def weights_digest(self, settings: ZeroShotSettings, base: Path) -> str:
        return weights_digest(settings.model, base, settings.weights)

    def run(self, settings: ZeroShotSettings, work: Work) -> Outcome:
        embedder = embedder_of(settings, work)
        prototypes = embedder.embed(label_texts(work.dataset))  # (n_labels, width)
        with PeakMemory(embedder.device.kind) as inference:
            vectors = embedder.embed(rows_to_predict(work).texts, watch=work.progress)
        megabytes = inference.mb + weights_mb(embedder.model)
        footprint = Footprint(0.0, 0.0, megabytes, embedder.size_mb, embedder.parameters)
        predictions = scored(SHARPNESS * vectors @ prototypes.T, "cosine similarity")
        return Outcome(predictions, footprint, embedder.device)

    def load(self, folder: Path, settings: ZeroShotSettings, work: Work) -> Predictor:  # noqa: ARG002
        embedder = embedder_of(settings, work)
        prototypes = embedder.embed(label_texts(work.dataset))

        def label(texts: Sequence[str]) -> object:
            return (embedder.embed(texts, batch_size=len(texts)) @ prototypes.T).argmax(axis=1)

        with PeakMemory(embedder.device.kind) as memory:
            label(work.dataset.test.texts[:32])
        return LocalPredictor(label, embedder.encoder, weights_mb(embedder.model) + memory.mb)


def label_texts(dataset: Dataset) -> list[str]:
    """Each label's description, else its name with underscores as spaces."""
    return [dataset.descriptions.get(label) or label.replace("_", " ") for label in dataset.labels]
