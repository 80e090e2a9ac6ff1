"""`linear_probe: ENCODER`: frozen embeddings and a logistic regression."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from pytest_modelcompare.inference.classifiers import load_linear
from pytest_modelcompare.inference.embed import Embedder, load_embedder
from pytest_modelcompare.inference.memory import PeakMemory, folder_mb, weights_mb
from pytest_modelcompare.inference.model_reference import weights_digest
from pytest_modelcompare.methods.local import (
    LocalMethod,
    LocalPredictor,
    Predictor,
    Work,
    rows_to_predict,
    scored,
    training_rows,
    validated,
)
from pytest_modelcompare.records import Footprint, Outcome, Predictions, Rows
from pytest_modelcompare.records.progress import Progress
from pytest_modelcompare.settings import Settings
from pytest_modelcompare.training.logistic import fit_logistic


class EncoderSettings(Settings):
    """What every method with a frozen encoder can be told of it."""

    main: ClassVar[str] = "model"

    model: str = Field(min_length=1)
    """Hub id[@revision], a path, or `package:MODULE/SUBPATH` (weights inside an installed package)."""

    pooling: Literal["auto", "mean", "cls"] = "auto"
    """How token vectors become one: `auto` does as the model's own `1_Pooling/config.json` says, else the mean."""

    max_length: int | None = Field(default=None, ge=4)
    """Texts are cut at this many tokens; by default the model's limit, at most 512."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` takes bf16 where a short probe shows that it pays."""

    weights: Literal["safetensors", "pickle"] = "safetensors"
    """`pickle` also accepts weights in torch's own format, read with `weights_only=True`."""


class LinearProbeSettings(EncoderSettings):
    """The encoder is frozen; only a logistic regression on its embeddings is trained."""

    C: float = Field(default=10.0, gt=0)
    """Inverse strength of the L2 penalty, as in scikit-learn's LogisticRegression."""


class LinearProbe(LocalMethod):
    """Embeds with a frozen encoder, fits a logistic regression, keeps its coefficients."""

    key: ClassVar[str] = "linear_probe"
    engine_version: ClassVar[int] = 1
    settings: ClassVar[type[Settings]] = LinearProbeSettings

    def weights_digest(self, settings: LinearProbeSettings, base: Path) -> str:
        return weights_digest(settings.model, base, settings.weights)

    def run(self, settings: LinearProbeSettings, work: Work) -> Outcome:
        train, test = training_rows(work), rows_to_predict(work)
        folder = work.folder / "model"
        folder.mkdir()
        embedder = embedder_of(settings, work)
        start = time.perf_counter()
        with PeakMemory(embedder.device.kind) as training:
            vectors = embedder.embed(train.texts, watch=work.progress)
            work.progress(Progress(len(train), len(train), "fit a logistic regression"))
            linear, notes = fit_logistic(vectors, train.labels, len(work.dataset.labels), settings.C)
        seconds = time.perf_counter() - start
        linear.save(folder)

        def predict(rows: Rows) -> Predictions:
            return scored(linear.logits(embedder.embed(rows.texts, watch=work.progress)), "softmax")

        with PeakMemory(embedder.device.kind) as inference:
            predictions = predict(test)
        footprint = Footprint(
            seconds,
            training.mb + weights_mb(embedder.model),
            inference.mb + weights_mb(embedder.model),
            embedder.size_mb + folder_mb(folder),
            embedder.parameters + linear.parameters,
        )
        return Outcome(predictions, footprint, embedder.device, notes, validated(work, predict))

    def libraries(self, settings: LinearProbeSettings) -> tuple[str, ...]:  # noqa: ARG002
        return ("sklearn", "torch", "transformers")

    def load(self, folder: Path, settings: LinearProbeSettings, work: Work) -> Predictor:
        linear = load_linear(folder / "model")
        embedder = embedder_of(settings, work)

        def label(texts: Sequence[str]) -> object:
            return linear.logits(embedder.embed(texts, batch_size=len(texts))).argmax(axis=1)

        with PeakMemory(embedder.device.kind) as memory:
            label(work.dataset.test.texts[:32])
        return LocalPredictor(label, embedder.encoder, weights_mb(embedder.model) + memory.mb)


def embedder_of(settings: EncoderSettings, work: Work) -> Embedder:
    """The encoder that the settings name."""
    return load_embedder(
        settings.model,
        work.base,
        work.device,
        precision=settings.precision,
        pooling=settings.pooling,
        max_length=settings.max_length,
        weights=settings.weights,
        smoke=work.smoke,
    )
