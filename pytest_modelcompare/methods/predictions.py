"""`predictions: SOURCE`: answers that were recorded elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import field_validator

from pytest_modelcompare.data.data_settings import DataSettings
from pytest_modelcompare.data.made_up import MADE_UP
from pytest_modelcompare.data.recorded_answers import RecordedAnswers, RecordedSource, recorded_answers
from pytest_modelcompare.errors import GateError
from pytest_modelcompare.methods.base import ContestantJobs, ContestantSpec, Desk, Known, Method
from pytest_modelcompare.pricing.answers import answers_cost
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.pricing.prices import PriceTable
from pytest_modelcompare.records import Cost, Dataset, Evidence, Latencies
from pytest_modelcompare.records.jobs import Context, Job, Kind, Place, Results
from pytest_modelcompare.records.traits import Traits
from pytest_modelcompare.settings import Settings
from pytest_modelcompare.store.folders import StoreFolders

BLOCKS = 20
"""Recorded times are taken in so many blocks, in the order of the rows."""


class PredictionsSettings(Settings):
    """Recorded answers, matched to the test rows by `id`, else by text, else by position."""

    main: ClassVar[str] = "source"

    source: RecordedSource
    """A path, or `{path: …, prediction: COLUMN, …}`."""

    model: str | None = None
    """`provider:model` that gave the answers: what their tokens are priced by."""

    missing: Literal["error", "wrong"] = "error"
    """What becomes of test rows without exactly one recorded answer."""

    read: Literal["exact", "lenient"] = "exact"
    """`exact`: an answer is a label as the suite spells it, anything else is wrong. `lenient`: answers in words are
    read as an LLM's replies are (a sentence, JSON, emphasis, thinking aloud), where the label is unambiguous."""

    @field_validator("source", mode="before")
    @classmethod
    def path_alone(cls, value: object) -> object:
        return {"path": value} if isinstance(value, str) else value


class Recorded(Method):
    """Reads them."""

    key: ClassVar[str] = "predictions"
    settings: ClassVar[type[Settings]] = PredictionsSettings
    traits: ClassVar[Traits] = Traits(recorded=True)

    def jobs(self, spec: ContestantSpec, desk: Desk) -> ContestantJobs:
        if desk.dataset.digest == MADE_UP:  # no recording is of such rows
            return ContestantJobs()
        settings = spec.settings
        assert isinstance(settings, PredictionsSettings)
        asked_for = f"{settings.model_dump_json()} {desk.dataset.digest}"
        job = Job(
            f"read:{hashlib.sha256(asked_for.encode()).hexdigest()}",
            "read",
            Kind.READ,
            Place.HERE,
            partial(read, settings, desk.dataset, desk.data, desk.base),
            stored=True,
            contestant=spec.name,
        )
        return ContestantJobs((job,), (job,))

    def evidence(self, spec: ContestantSpec, found: Sequence[RecordedAnswers], known: Known) -> Evidence | None:
        """Priced where tokens were recorded and the model is named."""
        if not found:
            return None
        (recorded,), dataset, settings = found, known.dataset, spec.settings
        assert isinstance(settings, PredictionsSettings)
        cost, because = cost_of(recorded, settings.model, known.prices)
        latencies = None
        if recorded.latencies_ms is not None and len(recorded.latencies_ms):
            blocks = np.arange(len(recorded.latencies_ms)) * BLOCKS // len(recorded.latencies_ms)
            latencies = Latencies(
                recorded.latencies_ms, blocks.astype(np.int64), "as recorded", f"recorded {spec.name}", ""
            )
        return Evidence(
            spec.name,
            spec.method,
            dataset.labels,
            dataset.test.labels,
            dataset.test.groups,
            (recorded.predictions,),
            traits=self.traits,
            model=settings.model,
            latencies=latencies,
            cost=cost,
            no_cost_because=because,
        )


def read(
    settings: PredictionsSettings,
    dataset: Dataset,
    data: DataSettings,
    base: Path,
    context: Context,
    results: Results,  # noqa: ARG001
) -> RecordedAnswers:
    """Recorded answers, in the order of the test rows."""
    downloads = StoreFolders(context.options.store).downloads
    return recorded_answers(settings.source, settings.missing, dataset, data, base, downloads, settings.read)


def cost_of(recorded: RecordedAnswers, model: str | None, prices: PriceTable | None) -> tuple[Cost | None, str]:
    """What the answers cost, or why that is not known."""
    if recorded.tokens is None:
        return None, "its recording has no columns with token counts"
    if model is None:
        return None, "name the `model` that gave the answers, so that their tokens have a price"
    usages = [None if tokens is None else Usage(*tokens) for tokens in recorded.tokens]
    try:
        cost = answers_cost(usages, [datetime.now(UTC)] * len(usages), model, prices)
    except GateError as error:
        return None, str(error)
    return cost, "its recording has no columns with token counts"
