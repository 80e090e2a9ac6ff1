"""Timings may end early without bending a verdict."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.timing_looks import BY_LATENCY, BY_THROUGHPUT, gates_on, is_settled, measured_for
from pytest_modelcompare.inference.stopwatch import LATENCY_LOOKS
from pytest_modelcompare.records import Cost, Evidence, Latencies, Outcomes, Throughput

BLOCKS, ROWS = 20, 20


def gate(*sentences: str, **options: object) -> GateSpec:
    claims = tuple(parse(one) for one in sentences)
    return GateSpec(" or ".join(sentences), claims, any_of=len(sentences) > 1, **options)  # type: ignore[arg-type]


def timed(milliseconds: np.ndarray, name: str = "a", rates: np.ndarray | None = None) -> Evidence:
    """Rows of blocks as latencies; rates as throughput.

    Args:
        milliseconds: shape (blocks, rows).
    """
    blocks = np.repeat(np.arange(len(milliseconds)), milliseconds.shape[1])
    times = Latencies(milliseconds.ravel(), blocks, "a CPU", "s", "2026-01-01")
    speed = None if rates is None else Throughput(rates, 20.0, 32, "a CPU", "s")
    cost = None if rates is None else Cost(1 / rates / 36_000, per_test_row=False, tokens_per_row=20.0, assumptions="")
    truth = np.array([0, 1] * 20)
    return Evidence(name, "tfidf", ("x", "y"), truth, None, latencies=times, throughput=speed, cost=cost)


def steady(rng: np.random.Generator, ms: float = 10.0, spread: float = 0.02, blocks: int = 5) -> np.ndarray:
    return ms * np.exp(spread * rng.standard_normal((blocks, ROWS)))


def settled(spec: GateSpec, *sides: Evidence, blocks: int = 5) -> bool:
    return is_settled(spec, {one.name: one for one in sides}, confidence=0.95, min_coverage=0.9, blocks=blocks)


def test_gates_are_told_by_what_they_need():
    on_times, on_costs = gate("a.latency_p95_ms <= 5"), gate("a beats b on cost_per_1k")
    others = gate("a.accuracy >= 0.9")
    assert gates_on([on_times, on_costs, others], BY_LATENCY) == [on_times]
    assert gates_on([on_times, on_costs, others], BY_THROUGHPUT) == [on_costs]
    assert measured_for([on_times, on_costs, others], BY_LATENCY) == {("a", None)}
    assert measured_for([on_times, on_costs, others], BY_THROUGHPUT) == {("a", None), ("b", None)}


def test_a_place_is_measured_where_it_is_named_and_both_sides_of_a_break_even():
    assert measured_for([gate("a.latency_p95_ms(cpu, 128) <= b.latency_p50_ms")], BY_LATENCY) == {
        ("a", "cpu, 128"),
        ("b", None),
    }
    assert measured_for([gate("a.break_even(b) <= 1000")], BY_THROUGHPUT) == {("a", None), ("b", None)}


def restless() -> tuple[Evidence, float]:
    """Times that spread widely, and their 95 % quantile: a gate at it stays open."""
    side = timed(steady(np.random.default_rng(1), spread=0.5, blocks=10))
    assert side.latencies is not None
    return side, float(np.quantile(side.latencies.milliseconds, 0.95))


@pytest.mark.parametrize(("share", "ends"), [(10.0, True), (0.1, True), (1.0, False)])
def test_what_is_far_from_the_limit_is_settled_and_what_is_near_is_not(share: float, ends: bool):
    side, at = restless()
    assert settled(gate(f"a.latency_p95_ms <= {share * at:.3f}"), side, blocks=10) is ends


def test_five_percent_are_not_enough_at_a_look():
    side = timed(steady(np.random.default_rng(0), spread=0.14))
    for limit in np.arange(10, 20, 0.1):
        spec = gate(f"a.latency_p95_ms <= {limit:.1f}")
        if judge(spec, {"a": side}).outcome is Outcomes.PASS:
            break
    assert not settled(spec, side)


def test_narrow_bounds_end_what_stays_open():
    few, many = (timed(steady(np.random.default_rng(1), spread=0.01, blocks=n)) for n in (4, 10))
    limit = float(np.quantile(many.latencies.milliseconds, 0.95))
    spec = gate(f"a.latency_p95_ms <= {limit:.3f}")
    assert not settled(spec, few, blocks=4)
    assert settled(spec, many, blocks=10)


def test_every_member_of_an_any_of_may_be_open():
    side, at = restless()
    assert settled(gate(f"a.latency_p95_ms <= {10 * at:.3f}", f"a.latency_p95_ms <= {at:.3f}"), side, blocks=10)
    assert not settled(gate(f"a.latency_p95_ms <= {at + 0.1:.3f}", f"a.latency_p95_ms <= {at:.3f}"), side, blocks=10)


@pytest.mark.parametrize(
    "spec",
    [
        gate("a.cost_per_1k <= 1"),
        gate("a.latency_p95_ms <= b.latency_p95_ms"),
        gate("a does not regress on latency_p95_ms"),
    ],
)
def test_what_cannot_be_judged_yet_is_measured_whole(spec: GateSpec):
    assert not settled(spec, timed(steady(np.random.default_rng(0))), blocks=15)


def test_what_is_not_tested_is_settled_as_if_it_were():
    side, at = restless()
    assert settled(gate(f"a.latency_p95_ms <= {10 * at:.3f}", decide="point"), side, blocks=10)
    assert not settled(gate(f"a.latency_p95_ms <= {at:.3f}", decide="point"), side, blocks=10)


def test_costs_are_settled_by_throughput():
    rng = np.random.default_rng(0)
    rates = 100 * np.exp(0.02 * rng.standard_normal(5))
    side = timed(steady(rng), rates=rates)
    assert settled(gate("a.cost_per_1k <= 1"), side)
    assert settled(gate("a.throughput_per_s >= 50"), side)
    wild = 100 * np.exp(0.3 * rng.standard_normal(5))
    assert not settled(gate(f"a.throughput_per_s >= {wild.mean():.2f}"), timed(steady(rng), rates=wild))


@pytest.mark.parametrize(("metric", "quantile"), [("latency_p95_ms", 0.95), ("latency_p50_ms", 0.5)])
@pytest.mark.parametrize("within", [0.0, 0.05])
def test_stopping_adds_next_to_nothing_to_the_errors(within: float, metric: str, quantile: float):
    """A limit that is the true quantile: to pass is an error, and so is to fail. Requests of a block share a state."""
    rng, repeats = np.random.default_rng(7), 500
    limit = 10 * np.exp(np.hypot(0.2, within) * norm.ppf(quantile))
    spec = gate(f"a.{metric} <= {limit:.5f}")
    errors, ended = {Outcomes.PASS: 0, Outcomes.FAIL: 0, Outcomes.UNDECIDED: 0}, 0
    for _ in range(repeats):
        noise = 0.2 * rng.standard_normal((BLOCKS, ROWS)) + within * rng.standard_normal((BLOCKS, 1))
        whole = 10 * np.exp(noise)
        seen = next((n for n in LATENCY_LOOKS if settled(spec, timed(whole[:n]), blocks=n)), BLOCKS)
        ended += seen < BLOCKS
        errors[judge(spec, {"a": timed(whole[:seen])}).outcome] += 1
    most = repeats * (0.05 + 0.009) + 2 * np.sqrt(repeats * 0.05 * 0.95)
    assert errors[Outcomes.PASS] <= most
    assert errors[Outcomes.FAIL] <= most
    assert 0 < ended < repeats
