"""`tfidf: {}`: weighted n-grams and a logistic regression."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from pytest_modelcompare.inference.classifiers import load_linear
from pytest_modelcompare.inference.memory import PeakMemory, folder_mb
from pytest_modelcompare.inference.ngrams import fit_ngrams, load_ngrams
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
from pytest_modelcompare.records import Device, Footprint, Outcome, Predictions, Rows
from pytest_modelcompare.records.progress import Progress
from pytest_modelcompare.settings import Settings
from pytest_modelcompare.training.logistic import fit_logistic


class TfidfSettings(Settings):
    """TF-IDF of word n-grams and a logistic regression. No weights, no GPU."""

    main: ClassVar[str] = ""
    """The method's value is always `{}`."""

    ngrams: list[int] = Field(default=[1, 2], min_length=2, max_length=2)
    """The shortest and the longest run of words that counts as a feature."""

    C: float = Field(default=30.0, gt=0)
    """Inverse strength of the L2 penalty, as in scikit-learn's LogisticRegression."""

    @field_validator("ngrams")
    @classmethod
    def shortest_first(cls, ngrams: list[int]) -> list[int]:
        if not 1 <= ngrams[0] <= ngrams[1]:
            raise ValueError("`ngrams` are [shortest, longest], at least one word each")
        return ngrams


class Tfidf(LocalMethod):
    """Fits n-grams and a logistic regression; predicts without scikit-learn."""

    key: ClassVar[str] = "tfidf"
    engine_version: ClassVar[int] = 1
    settings: ClassVar[type[Settings]] = TfidfSettings

    def weights_digest(self, settings: TfidfSettings, base: Path) -> str:  # noqa: ARG002
        return ""

    def run(self, settings: TfidfSettings, work: Work) -> Outcome:
        train, test = training_rows(work), rows_to_predict(work)
        folder = work.folder / "model"
        folder.mkdir()
        start = time.perf_counter()
        with PeakMemory("cpu") as training:
            work.progress(Progress(0, 2, "count n-grams"))
            ngrams = fit_ngrams(train.texts, *settings.ngrams)
            features = ngrams.transform(train.texts)
            work.progress(Progress(1, 2, f"fit a logistic regression on {len(ngrams.vocabulary):,} n-grams"))
            linear, notes = fit_logistic(features, train.labels, len(work.dataset.labels), settings.C, tolerance=3e-4)
        seconds = time.perf_counter() - start

        def predict(rows: Rows) -> Predictions:
            return scored(linear.logits(ngrams.transform(rows.texts)), "softmax")

        ngrams.save(folder)
        linear.save(folder)
        with PeakMemory("cpu") as inference:
            predictions = predict(test)
        work.progress(Progress(2, 2))
        parameters = linear.parameters + ngrams.idf.size
        footprint = Footprint(seconds, training.mb, linear.megabytes + inference.mb, folder_mb(folder), parameters)
        device = Device("cpu", "fp32", "TF-IDF runs on the CPU")
        return Outcome(predictions, footprint, device, notes, validated(work, predict))

    def libraries(self, settings: TfidfSettings) -> tuple[str, ...]:  # noqa: ARG002
        return ("sklearn",)

    def libraries_to_predict(self, settings: TfidfSettings) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def devices(self, settings: TfidfSettings) -> tuple[str, ...]:  # noqa: ARG002
        return ("cpu",)

    def load(self, folder: Path, settings: TfidfSettings, work: Work) -> Predictor:  # noqa: ARG002
        with PeakMemory("cpu") as memory:
            ngrams, linear = load_ngrams(folder / "model"), load_linear(folder / "model")
            linear.logits(ngrams.transform(work.dataset.test.texts[:32]))
        return LocalPredictor(
            lambda texts: linear.logits(ngrams.transform(texts)).argmax(axis=1), None, memory.mb, (32, 128, 1024)
        )
