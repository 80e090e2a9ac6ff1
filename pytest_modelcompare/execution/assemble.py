"""From runs, answers, timings and prices to one contestant's evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.execution.orders import SHARED_NOTE
from pytest_modelcompare.gates.places import place_of
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.predictions import PredictionsSettings
from pytest_modelcompare.methods.published import PublishedSettings
from pytest_modelcompare.pricing.answers import answers_cost
from pytest_modelcompare.pricing.compute import compute_cost, train_cost_usd
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records import Cost, Dataset, Evidence, Footprint, Latencies, Published, Run, Speed
from pytest_modelcompare.store.timings import Timing

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.llm.answering import Answered
    from pytest_modelcompare.suite.model import ComputeSettings

T = TypeVar("T", Timing, str)
NO_COMPUTE = "say in the suite what the machine costs: `compute: {price_per_hour: 0.10, utilisation: 0.5}`"


def assemble(comparison: Comparison, spec: ContestantSpec) -> Evidence | None:
    """What is known about a contestant; None where nothing of it was prepared."""
    dataset = comparison.dataset
    if dataset is None:
        return None
    if isinstance(spec.settings, PublishedSettings):
        settings = spec.settings
        figures = Published(settings.figures, settings.source, settings.n)
        return Evidence(spec.name, spec.method, dataset.labels, dataset.test.labels, published=figures)
    if runs := comparison.runs.get(spec.name):
        return of_runs(comparison, spec, runs, dataset)
    if spec.name in comparison.recorded:
        return of_recording(comparison, spec, dataset)
    if spec.name in comparison.answered:
        return of_answers(comparison, spec, dataset)
    return None


def of_runs(comparison: Comparison, spec: ContestantSpec, runs: list[Run], dataset: Dataset) -> Evidence:
    """A contestant that computed here, or on the machine whose run is stored."""
    timing = comparison.timings.get(spec.name)
    cost, because, train_cost = compute_costs(comparison, spec, runs)
    first = runs[0]
    return Evidence(
        spec.name,
        spec.method,
        dataset.labels,
        dataset.test.labels,
        dataset.test.groups,
        tuple(run.outcome.predictions for run in runs),
        spec.seeds,
        model_of(spec),
        f"{first.machine}, {first.outcome.device.precision}" if first.outcome.device else first.machine,
        latencies=timing.latencies if timing else None,
        throughput=timing.throughput if timing else None,
        footprint=mean_footprint(runs),
        cost=cost,
        no_cost_because=because,
        train_cost_usd=train_cost,
        trained_on=frozenset((one.outcome.device.kind if one.outcome.device else "cpu", one.machine) for one in runs),
        shared_device=any(SHARED_NOTE in one.outcome.notes for one in runs),
        speeds={at: speed_of(comparison, found, at) for at, found in places_of(comparison, spec.name, Timing)},
        not_timed=dict(places_of(comparison, spec.name, str)),
    )


def places_of(comparison: Comparison, name: str, kind: type[T]) -> list[tuple[str, T]]:
    """Of a contestant, what gates name in parentheses, with its timing there, or with the reason for none."""
    at = {place: found for (contestant, place), found in comparison.timings_at.items() if contestant == name}
    return [(place, found) for place, found in at.items() if isinstance(found, kind)]


def speed_of(comparison: Comparison, timing: Timing, place: str) -> Speed:
    """A timing with the cost that follows from it, at the price of its own device."""
    compute, device = comparison.suite.compute, place_of(place).device or comparison.device_kind
    price = None if compute is None else compute.price_on(device)
    if compute is None or price is None or timing.throughput is None:
        because = NO_COMPUTE if compute is None else no_price(device)
        return Speed(timing.latencies, timing.throughput, timing.memory_mb, None, because)
    cost = compute_cost(timing.throughput, price, compute.utilisation)
    return Speed(timing.latencies, timing.throughput, timing.memory_mb, cost)


def no_price(device: str) -> str:
    return f"`compute: price_per_hour` names no price for {device}"


def compute_costs(
    comparison: Comparison, spec: ContestantSpec, runs: list[Run]
) -> tuple[Cost | None, str, float | None]:
    """Cost per prediction, why there is none, and the cost of training all seeds, of a sweep those of all members."""
    compute = comparison.suite.compute
    if compute is None:
        return None, NO_COMPUTE, None
    members = [run for name in spec.members for run in comparison.runs.get(name, [])]
    trained = training_cost(members or runs, compute)
    timing = comparison.timings.get(spec.name)
    if timing is None or timing.throughput is None:
        return None, str(comparison.timings_at.get((spec.name, ""), "it was not timed on this machine")), trained
    served_on = comparison.device_kind
    price = compute.price_on(served_on)
    if price is None:
        return None, no_price(served_on), trained
    return compute_cost(timing.throughput, price, compute.utilisation), "", trained


def training_cost(runs: list[Run], compute: ComputeSettings) -> float | None:
    """USD for these trainings, each at the price of the device it ran on; None where a price or a time is missing."""
    total = 0.0
    for run in runs:
        price = compute.price_on(run.outcome.device.kind if run.outcome.device else "cpu")
        seconds = run.outcome.footprint.train_seconds
        if price is None or not np.isfinite(seconds):
            return None
        total += train_cost_usd(seconds, price, compute.utilisation)
    return total


def mean_footprint(runs: list[Run]) -> Footprint:
    """Means over seeds; sizes are the same for all."""
    prints = [run.outcome.footprint for run in runs]
    return Footprint(
        float(np.mean([one.train_seconds for one in prints])),
        float(np.mean([one.train_memory_mb for one in prints])),
        float(np.mean([one.inference_memory_mb for one in prints])),
        prints[0].size_mb,
        prints[0].parameters,
    )


def of_recording(comparison: Comparison, spec: ContestantSpec, dataset: Dataset) -> Evidence:
    """Recorded answers, priced where tokens were recorded and the model is named."""
    recorded = comparison.recorded[spec.name]
    settings = spec.settings
    assert isinstance(settings, PredictionsSettings)
    cost, because = None, "its recording has no columns with token counts"
    if recorded.tokens is not None and settings.model is None:
        because = "name the `model` that gave the answers, so that their tokens have a price"
    elif recorded.tokens is not None and settings.model is not None:
        usages = [None if tokens is None else Usage(*tokens) for tokens in recorded.tokens]
        try:
            cost = answers_cost(usages, [datetime.now(UTC)] * len(usages), settings.model, comparison.suite.prices)
        except GateError as error:
            because = str(error)
    latencies = None
    if recorded.latencies_ms is not None and len(recorded.latencies_ms):
        blocks = np.arange(len(recorded.latencies_ms)) * 20 // len(recorded.latencies_ms)
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
        model=settings.model,
        latencies=latencies,
        cost=cost,
        no_cost_because=because,
    )


def of_answers(comparison: Comparison, spec: ContestantSpec, dataset: Dataset) -> Evidence:
    """An LLM that was asked, or whose stored answers were taken."""
    return of_replies(spec, comparison.answered[spec.name], dataset)


def of_replies(spec: ContestantSpec, answered: Answered, dataset: Dataset) -> Evidence:
    """On the rows that were asked, and no others: what is not asked is not unanswered."""
    test = dataset.test if answered.rows is None else dataset.test.picked(answered.rows)
    return Evidence(
        spec.name,
        spec.method,
        dataset.labels,
        test.labels,
        test.groups,
        (answered.predictions,),
        model=model_of(spec),
        latencies=answered.latencies,
        cost=answered.cost,
        no_cost_because=answered.no_cost_because,
    )


def model_of(spec: ContestantSpec) -> str | None:
    return getattr(spec.settings, "model", None)
