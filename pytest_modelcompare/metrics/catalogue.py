"""The catalogue of metrics. Checks, the table and the docs are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from types import MappingProxyType


class Need(StrEnum):
    """What a contestant must have for a metric."""

    ROWS = "rows"
    SCORES = "scores"
    LATENCY = "latency"
    THROUGHPUT = "throughput"
    FOOTPRINT = "footprint"
    COST = "cost"
    TRAIN_COST = "train_cost"
    BREAK_EVEN = "break_even"


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric of the suite language."""

    name: str
    definition: str
    needs: Need
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    unit: str = ""
    per_label: bool = False
    """Whether `metric[label]` exists."""

    exact: bool = False
    """Sizes and counts: compared without an interval."""

    own: bool = False
    """Whether a project added it, by the hook `pytest_modelcompare_metrics`."""


def rows(name: str, definition: str, **facts: object) -> MetricSpec:
    return MetricSpec(name, definition, Need.ROWS, **facts)  # type: ignore[arg-type]


def scores(name: str, definition: str, **facts: object) -> MetricSpec:
    return MetricSpec(name, definition, Need.SCORES, **facts)  # type: ignore[arg-type]


def lower(name: str, definition: str, needs: Need, unit: str, **facts: object) -> MetricSpec:
    return MetricSpec(name, definition, needs, 0.0, inf, False, unit, **facts)  # type: ignore[arg-type]


UNIFORM = "A row without scores is scored uniform."
ONE_AT_A_TIME = "of the time per prediction, one row at a time, from text to label, warm-up excluded"

ALL = (
    rows("accuracy", "Share of test rows labelled correctly; a row without an answer is wrong."),
    rows("balanced_accuracy", "Mean recall over the labels that occur in the test rows."),
    rows("mcc", "Matthews correlation coefficient, multi-class; no answer is an answer of its own.", low=-1.0),
    rows("f1", "F1, the macro mean over the suite's labels; of one label with `f1[label]`.", per_label=True),
    rows("precision", "Precision, macro mean over the suite's labels, or of one.", per_label=True),
    rows("recall", "Recall, macro mean over the suite's labels, or of one.", per_label=True),
    rows("f1_weighted", "F1, averaged over the labels by how often each occurs in the test rows."),
    rows("coverage", "Share of test rows answered with a known label."),
    scores("auroc", f"Area under the ROC curve, macro one-vs-rest, or of one label. {UNIFORM}", per_label=True),
    scores("average_precision", f"Average precision, macro one-vs-rest, or of one label. {UNIFORM}", per_label=True),
    scores(
        "brier", f"Squared error of the scores, summed over the labels. {UNIFORM}", high=2.0, higher_is_better=False
    ),
    scores(
        "log_loss",
        f"Mean of -ln(score of the true label), scores clipped at 1e-15. {UNIFORM}",
        high=inf,
        higher_is_better=False,
    ),
    scores(
        "ece", f"Expected calibration error of the top label, 15 bins of equal mass. {UNIFORM}", higher_is_better=False
    ),
    lower("latency_mean_ms", f"Mean {ONE_AT_A_TIME}.", Need.LATENCY, "ms"),
    lower("latency_p50_ms", f"Median {ONE_AT_A_TIME}.", Need.LATENCY, "ms"),
    lower("latency_p95_ms", f"95th percentile {ONE_AT_A_TIME}.", Need.LATENCY, "ms"),
    lower("latency_p99_ms", f"99th percentile {ONE_AT_A_TIME}.", Need.LATENCY, "ms"),
    MetricSpec(
        "throughput_per_s",
        "Predictions per second at the best batch size tried.",
        Need.THROUGHPUT,
        0,
        inf,
        True,
        "rows/s",
    ),
    MetricSpec(
        "tokens_per_s",
        "Tokens per second, padding not counted, at that batch size.",
        Need.THROUGHPUT,
        0,
        inf,
        True,
        "tokens/s",
    ),
    lower("train_seconds", "Time to train once; the mean over seeds.", Need.FOOTPRINT, "s", exact=True),
    lower("train_memory_mb", "Peak memory of training, in 2**20 bytes.", Need.FOOTPRINT, "MB", exact=True),
    lower("inference_memory_mb", "Memory of the loaded model, in 2**20 bytes.", Need.FOOTPRINT, "MB", exact=True),
    lower("size_mb", "Size of the kept weights on disk, in 2**20 bytes.", Need.FOOTPRINT, "MB", exact=True),
    lower("parameters", "Number of weights.", Need.FOOTPRINT, "", exact=True),
    lower("cost_per_1k", "USD per 1,000 predictions in steady use.", Need.COST, "USD"),
    lower(
        "cost_per_million_tokens", "USD per million tokens of the texts and answers in steady use.", Need.COST, "USD"
    ),
    lower("train_cost", "USD to train again from nothing, all seeds included.", Need.TRAIN_COST, "USD", exact=True),
    lower(
        "break_even",
        "Predictions after which `train_cost` has paid for itself against OTHER.",
        Need.BREAK_EVEN,
        "predictions",
    ),
)

_by_name = {spec.name: spec for spec in ALL}
METRICS: Mapping[str, MetricSpec] = MappingProxyType(_by_name)
"""Every metric by its name, those too that a project added."""


def add_metric(spec: MetricSpec) -> None:
    _by_name[spec.name] = spec


def forget_metric(name: str) -> None:
    del _by_name[name]


LATENCY_QUANTILES: Mapping[str, float | None] = {
    "latency_mean_ms": None,
    "latency_p50_ms": 0.50,
    "latency_p95_ms": 0.95,
    "latency_p99_ms": 0.99,
}
"""The quantile of each latency metric; None is the mean."""
