"""Times, sizes and costs as estimates, and what has none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.metrics.table import table_figures
from pytest_modelcompare.records import Cost, Evidence, Footprint, Latencies, Predictions, Published, Throughput

N = 100
TRUTH = np.arange(N) % 2


def contestant(name: str = "small", **facts: object) -> Evidence:
    return Evidence(name, "tfidf", ("no", "yes"), TRUTH, predictions=(Predictions(TRUTH),), **facts)  # type: ignore[arg-type]


def latencies(milliseconds: list[float]) -> Latencies:
    return Latencies(np.array(milliseconds), np.arange(len(milliseconds)) // 5, "a CPU", "s1", "2026-01-01")


def test_latency_is_the_mean_or_a_quantile_of_the_requests():
    timed = contestant(latencies=latencies([1, 2, 3, 4, 10]))
    assert estimate("latency_mean_ms", timed).value == 4
    assert estimate("latency_p50_ms", timed).value == 3


def test_a_quantiles_influence_gives_its_textbook_standard_error():
    # N(100, 10): SE of the median = sqrt(pi / 2) * 10 / sqrt(2000) = 0.28
    draws = np.random.default_rng(1).normal(100, 10, 2000)
    influence = estimate("latency_p50_ms", contestant(latencies=latencies(list(draws)))).influence
    assert np.sqrt((influence**2).sum()) == pytest.approx(0.28, rel=0.1)


def test_requests_of_one_block_are_a_cluster():
    found = estimate("latency_mean_ms", contestant(latencies=latencies([1.0] * 10)))
    assert found.clusters is not None
    assert found.clusters.tolist() == [0] * 5 + [1] * 5


def test_tokens_per_s_counts_the_tokens_of_a_row():
    timed = contestant(throughput=Throughput(np.array([100.0, 300.0]), 20.0, 32, "a CPU", "s1"))
    assert estimate("throughput_per_s", timed).value == 200
    assert estimate("tokens_per_s", timed).value == 4_000


def test_without_a_tokenizer_there_are_no_tokens_per_s():
    timed = contestant(throughput=Throughput(np.array([100.0]), float("nan"), 32, "a CPU", "s1"))
    with pytest.raises(GateError, match="no tokenizer"):
        estimate("tokens_per_s", timed)


def test_a_size_is_exact_and_one_not_measured_is_an_error():
    small = contestant(footprint=Footprint(size_mb=90.0))
    assert estimate("size_mb", small).influence.shape == (1, 0)
    with pytest.raises(GateError, match="small has no parameters"):
        estimate("parameters", small)


def test_cost_is_per_thousand_rows_or_per_million_tokens():
    paid = contestant(cost=Cost(np.full(N, 0.0002), True, 400.0, ""))
    assert estimate("cost_per_1k", paid).value == pytest.approx(0.2)
    assert estimate("cost_per_million_tokens", paid).value == pytest.approx(0.5)  # 0.0002 * 1e6 / 400


def test_without_a_cost_the_error_says_what_is_missing():
    with pytest.raises(GateError, match="the suite names no price"):
        estimate("cost_per_1k", contestant(no_cost_because="the suite names no price"))


def break_even_pair(clusters: np.ndarray | None) -> tuple[Evidence, Evidence]:
    by_group = np.repeat(np.linspace(0.9, 1.1, 10), N // 10) * 1e-3  # rows of one group cost the same
    llm = contestant("llm", cost=Cost(by_group, True, 10.0, ""), clusters=clusters)
    own = Cost(np.full(20, 1e-4) * np.linspace(0.9, 1.1, 20), False, 10.0, "")
    return contestant(cost=own, train_cost_usd=9.0, clusters=clusters), llm


def test_break_even_is_the_training_over_what_a_prediction_saves():
    small, llm = break_even_pair(None)
    assert estimate("break_even", small, other=llm).value == pytest.approx(10_000)  # 9 / (0.001 - 0.0001)


def test_break_even_keeps_the_groups_of_the_others_rows_and_each_own_block_apart():
    small, llm = break_even_pair(np.repeat(np.arange(10), N // 10))
    found = estimate("break_even", small, other=llm)
    assert found.clusters is not None
    assert found.clusters.shape == (20 + N,)
    assert len(np.unique(found.clusters)) == 20 + 10


def test_break_even_moves_as_its_influence_says():
    small, llm = break_even_pair(None)
    influence = estimate("break_even", small, other=llm).influence[0]
    assert llm.cost is not None
    usd = llm.cost.usd_per_row
    weights = np.full(N, 1.0)
    weights[3] += 1e-4
    moved = 9.0 / (np.average(usd, weights=weights) - 0.0001)
    assert influence[20 + 3] == pytest.approx((moved - 10_000) / 1e-4, rel=1e-3)


def test_a_published_figure_of_all_labels_is_none_of_one_label():
    paper = Evidence("paper", "published", ("no", "yes"), TRUTH, published=Published({"f1": 0.9}, "a paper"))
    assert estimate("f1", paper).value == 0.9
    with pytest.raises(GateError, match="no f1 of the label `yes`"):
        estimate("f1", paper, label="yes")


def test_the_table_claims_no_certainty_where_nothing_is_wrong():
    figures = table_figures(contestant())
    f1, accuracy = figures["f1"], figures["accuracy"]
    assert (f1.value, f1.low, f1.high) == (1.0, None, None)
    assert accuracy.low == pytest.approx(0.05 ** (1 / N))  # Clopper-Pearson with no error


def test_the_table_bounds_stay_within_the_metrics_range():
    one_wrong = np.where(np.arange(N) == 0, 1, TRUTH)
    found = table_figures(replace(contestant(), predictions=(Predictions(one_wrong),)))["f1"]
    assert found.high == 1.0
