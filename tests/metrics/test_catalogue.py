"""The catalogue and the page made from it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_modelcompare.metrics import reference
from pytest_modelcompare.metrics.catalogue import METRICS

QUALITY = "accuracy balanced_accuracy mcc f1 precision recall f1_weighted coverage auroc average_precision"
LOWER = (
    "brier log_loss ece latency_mean_ms latency_p50_ms latency_p95_ms latency_p99_ms train_seconds train_memory_mb "
    "inference_memory_mb size_mb parameters cost_per_1k cost_per_million_tokens train_cost break_even"
)


def test_each_metric_has_its_better_direction():
    higher = {name for name, spec in METRICS.items() if spec.higher_is_better}
    assert higher == {*QUALITY.split(), "throughput_per_s", "tokens_per_s"}
    assert METRICS.keys() - higher == set(LOWER.split())


@pytest.mark.parametrize(("metric", "low", "high"), [("mcc", -1, 1), ("brier", 0, 2), ("accuracy", 0, 1)])
def test_a_metric_has_its_range(metric: str, low: float, high: float):
    assert (METRICS[metric].low, METRICS[metric].high) == (low, high)


def test_the_reference_has_one_row_of_five_cells_per_metric():
    rows = reference.markdown().splitlines()[2:]
    assert len(rows) == len(METRICS)
    assert {row.count("|") for row in rows} == {6}


def test_importing_metrics_and_prices_imports_nothing_heavy():
    heavy = "{'sklearn', 'torch', 'scipy.stats', 'pydantic', 'genai_prices', 'pandas', 'pyarrow'}"
    code = (
        "import sys, pytest_modelcompare.metrics.table, pytest_modelcompare.pricing.answers; "
        f"print(sorted({heavy} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
