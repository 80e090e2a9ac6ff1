from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference import stopwatch
from pytest_modelcompare.inference.stopwatch import (
    LATENCY_LOOKS,
    LOOK_SECONDS,
    best_batch,
    measure_latencies,
    measure_throughput,
    rotate,
    texts_of_length,
    threads_to_predict,
    timing_machine,
)


class FakeClock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Scripted:
    """Takes `per_call` seconds and `per_row` more for each text."""

    batch_sizes: tuple[int, ...] = (2, 8)

    def __init__(self, name, clock, calls, per_call=0.0, per_row=0.0):
        self.name, self.clock, self.calls = name, clock, calls
        self.per_call, self.per_row = per_call, per_row

    def predict(self, texts):
        self.clock.now += self.per_call + self.per_row * len(texts)
        self.calls.append((self.name, tuple(texts)))

    def tokens(self, texts):
        return 3 * len(texts)


def world(**seconds_per_row):
    clock, calls = FakeClock(), list[Any]()
    return {name: Scripted(name, clock, calls, per_row=s) for name, s in seconds_per_row.items()}, clock, calls


def latencies(predictors, clock, texts=("a", "b", "c", "d"), **options):
    given = {"session": "s", "machine": "m", "clock": clock} | options
    return measure_latencies(predictors, texts, **given)


def test_each_row_is_timed_alone_and_warm_up_is_not_counted():
    predictors, clock, calls = world(a=0.010)
    found = latencies(predictors, clock, blocks=2, rows_per_block=3, warmup=4)["a"]
    np.testing.assert_allclose(found.milliseconds, 10.0)
    assert found.blocks.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(calls) == 4 + 6
    assert all(len(texts) == 1 for _, texts in calls)


def test_blocks_interleave_and_who_begins_moves_on():
    predictors, clock, calls = world(a=0.01, b=0.01)
    latencies(predictors, clock, blocks=2, rows_per_block=3, warmup=2)
    assert "".join(name for name, _ in calls[4:]) == "aaabbb" + "bbbaaa"


def test_contestants_are_timed_on_the_same_rows():
    predictors, clock, calls = world(a=0.01, b=0.02)
    latencies(predictors, clock, blocks=1, rows_per_block=3, warmup=2)
    assert [texts for name, texts in calls[4:] if name == "a"] == [texts for name, texts in calls[4:] if name == "b"]


def test_a_slow_contestant_gets_fewer_rows_and_never_fewer_than_three():
    predictors, clock, _ = world(fast=0.001, slow=0.1, slowest=9.0)
    found = latencies(predictors, clock, blocks=10, rows_per_block=20, seconds_limit=15)
    # 15 s / 10 blocks / 0.1 s = 15 rows; 15 / 10 / 9 = 0 rows, raised to 3
    assert [len(found[name].milliseconds) for name in ("fast", "slow", "slowest")] == [200, 150, 30]


def test_throughput_takes_the_best_batch_size():
    clock, calls = FakeClock(), list[Any]()
    predictors = {"a": Scripted("a", clock, calls, per_call=0.08, per_row=0.01)}
    found = measure_throughput(predictors, ["x"] * 20, session="s", machine="m", blocks=4, clock=clock)["a"]
    # 8 rows in 0.08 + 8 · 0.01 = 0.16 s: 50 rows/s; 2 rows in 0.1 s would be 20
    assert found.batch_size == 8
    np.testing.assert_allclose(found.rows_per_s, [50.0] * 4)
    assert found.tokens_per_row == 3.0


def test_rotation_goes_round():
    assert [rotate(["a", "b", "c"], by) for by in (0, 1, 4)] == [["a", "b", "c"], ["b", "c", "a"], ["b", "c", "a"]]


class Words:
    """A tokenizer that makes two tokens of a word with an "e" and one of any other, between two special ones."""

    batch_sizes: tuple[int, ...] = (1,)

    def __init__(self, most=10_000):
        self.most = most

    def predict(self, texts):
        return None

    def tokens(self, texts):
        return sum(min(self.most, 2 + sum(1 + ("e" in word) for word in text.split())) for text in texts)


TEXTS = ["the old man and the sea", "to have and have not", "a farewell to arms", "for whom the bell tolls"]


def test_texts_of_a_length_have_that_many_tokens():
    predictor = Words()
    found = texts_of_length(predictor, TEXTS, 32, n=20)
    assert [predictor.tokens([text]) for text in found] == [32] * 20
    assert len(set(found)) > 5
    assert {word for text in found for word in text.split()} <= {word for text in TEXTS for word in text.split()}


def test_without_a_tokenizer_words_are_counted():
    predictor = Words()
    predictor.tokens = lambda texts: None  # type: ignore[method-assign]
    assert [len(text.split()) for text in texts_of_length(predictor, TEXTS, 17, n=5)] == [17] * 5


def test_a_length_that_a_model_does_not_read_is_refused():
    with pytest.raises(ModelError, match="it does not read 64 tokens"):
        texts_of_length(Words(most=32), TEXTS, 64)


def test_a_contestant_with_texts_of_its_own_is_timed_on_them():
    predictors, clock, calls = world(a=0.01, b=0.01)
    latencies(predictors, clock, blocks=1, rows_per_block=3, warmup=2, own_texts={"b": ["long"]})
    assert {texts for name, texts in calls if name == "b"} == {("long",)}
    assert {texts for name, texts in calls if name == "a"} <= {("a",), ("b",), ("c",), ("d",)}


def test_one_slow_moment_does_not_choose_the_batch():
    clock, calls = FakeClock(), list[Any]()
    predictor = Scripted("a", clock, calls, per_call=0.08, per_row=0.01)
    # the large batch is disturbed in two of its three tries
    disturbed = iter([0, 0, 0, 9, 0, 9, 0, 0])
    predict = predictor.predict

    def disturb(texts):
        predict(texts)
        clock.now += next(disturbed)

    predictor.predict = disturb  # type: ignore[method-assign]
    # 8 rows in 0.16 s are 50 rows/s, 2 rows in 0.1 s are 20
    size, per_batch = best_batch(predictor, ["x"] * 8, clock)
    assert size == 8
    assert per_batch == pytest.approx(0.16)


def test_the_machine_of_timings_names_gpu_cpu_and_threads(monkeypatch):
    monkeypatch.setattr(stopwatch, "machine_in_words", lambda kind: {"cpu": "EPYC, 4 cores", "cuda": "H200"}[kind])
    assert timing_machine(["cpu"], 1) == "EPYC, 4 cores, 1 thread"
    assert timing_machine({"cpu", "cuda"}, 4) == "H200; EPYC, 4 cores, 4 threads"


@pytest.mark.parametrize(("asked", "expected"), [("2", 2), ("64", 8), ("", 8), ("0", 8), ("3,2", 3)])
def test_threads_are_as_asked_for_and_never_more_than_cores(monkeypatch, asked, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    monkeypatch.setattr(stopwatch, "cpu_count", lambda: 8)
    assert threads_to_predict() == expected


def test_what_no_gate_asks_for_gets_a_look_beside_the_others():
    predictors, clock, calls = world(asked=0.01, other=0.01, slow=4.0)
    found = latencies(predictors, clock, thorough={"asked"}, blocks=20, rows_per_block=20)
    assert {name: one.extent for name, one in found.items()} == {"asked": "whole", "other": "look", "slow": "look"}
    assert len(found["asked"].milliseconds) == 400
    assert sum(found["other"].milliseconds) == pytest.approx(1000 * LOOK_SECONDS)
    assert set(found["other"].blocks) == set(range(5))
    assert len(found["slow"].milliseconds) == 1  # two rows to warm up, one that counts
    assert len([name for name, _ in calls if name == "slow"]) == 3


def test_where_nothing_is_asked_for_a_contestant_takes_a_second():
    predictors, clock, _ = world(a=0.001, b=0.01, c=0.1)
    latencies(predictors, clock, thorough=())
    measure_throughput(predictors, ["x"] * 99, session="s", machine="m", thorough=(), clock=clock)
    assert clock.now < 3 * 1.5


def test_a_measurement_ends_at_the_look_at_which_it_is_enough():
    seen = []

    def enough(found):
        seen.append({name: len(np.unique(one.blocks)) for name, one in found.items()})
        return len(seen) == 2

    predictors, clock, _ = world(a=0.01, b=0.01)
    found = latencies(predictors, clock, thorough={"a"}, enough=enough)
    assert seen == [{"a": 10}, {"a": 15}]
    assert (found["a"].extent, found["b"].extent) == ("until_decided", "look")
    assert len(np.unique(found["a"].blocks)) == 15


def test_what_is_never_enough_is_measured_whole():
    predictors, clock, _ = world(a=0.01)
    looks = []
    found = latencies(predictors, clock, enough=lambda so_far: looks.append(so_far) or False)["a"]
    assert (found.extent, len(looks), len(np.unique(found.blocks))) == ("whole", len(LATENCY_LOOKS), 20)


def test_throughput_ends_at_its_look_too():
    predictors, clock, _ = world(a=0.01, b=0.01)
    options = {"session": "s", "machine": "m", "clock": clock}
    found = measure_throughput(predictors, ["x"] * 20, thorough={"a"}, enough=lambda _: True, **options)
    assert (found["a"].extent, len(found["a"].rows_per_s)) == ("until_decided", 5)
    assert found["b"].extent == "look"
    found = measure_throughput(predictors, ["x"] * 20, thorough={"a"}, enough=lambda _: False, **options)
    assert (found["a"].extent, len(found["a"].rows_per_s)) == ("whole", 10)


@pytest.mark.parametrize(
    ("per_call", "per_row", "size", "rate"),
    [
        (0.008, 0.0005, 8, 8 / 0.012),  # both sizes are tried, the larger is faster
        (0.01, 0.1, 2, 2 / 0.21),  # a batch of 8 would take 0.8 s
        (0.0, 2.0, 1, 0.5),  # not even two rows fit: single ones stand in
    ],
)
def test_a_look_at_throughput_tries_what_it_has_time_for(per_call, per_row, size, rate):
    clock, calls = FakeClock(), list[Any]()
    predictors = {"a": Scripted("a", clock, calls, per_call=per_call, per_row=per_row)}
    found = measure_throughput(predictors, ["x"] * 20, session="s", machine="m", thorough=(), clock=clock)["a"]
    assert found.batch_size == size
    np.testing.assert_allclose(found.rows_per_s, rate)
    assert found.tokens_per_row == 3.0
