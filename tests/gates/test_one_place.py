"""Figures of other machines, devices and conditions are no evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Evidence, Footprint, Outcomes

HERE, THERE, GPU = ("cpu", "here"), ("cpu", "there"), ("cuda", "a GPU")


def side(name: str, *trained_on: tuple[str, str], shared: bool = False) -> Evidence:
    footprint = Footprint(10.0 if name == "small" else 20.0, 100.0, 100.0 if name == "small" else 200.0, 5.0, 1000)
    return Evidence(
        name, "fine_tune", ("a", "b"), np.zeros(4, np.int64), footprint=footprint, train_cost_usd=0.1,
        trained_on=frozenset(trained_on), shared_device=shared,
    )  # fmt: skip


def verdict(gate: str, small: Evidence, large: Evidence, **changes):
    spec = replace(GateSpec(gate, (parse(gate),)), **changes)
    return judge(spec, {"small": small, "large": large})


@pytest.mark.parametrize("decide", ["interval", "point"])
@pytest.mark.parametrize("metric", ["train_seconds", "train_memory_mb", "inference_memory_mb", "train_cost"])
def test_trainings_on_two_machines_do_not_compare(metric: str, decide: str):
    gate = f"small.{metric} <= large.{metric}"
    assert verdict(gate, side("small", HERE), side("large", HERE), decide=decide).outcome is Outcomes.PASS
    found = verdict(gate, side("small", HERE), side("large", THERE), decide=decide)
    assert found.outcome is Outcomes.ERROR
    assert "small and large were trained on different machines" in found.message


def test_seeds_on_two_machines_do_not_compare_either():
    gate = "small.train_seconds <= large.train_seconds"
    assert verdict(gate, side("small", HERE), side("large", HERE, THERE)).outcome is Outcomes.ERROR


def test_seconds_on_two_devices_compare_and_memory_does_not():
    small, large = side("small", HERE), side("large", GPU)
    assert verdict("small.train_seconds <= large.train_seconds", small, large).outcome is Outcomes.PASS
    found = verdict("small.inference_memory_mb <= large.inference_memory_mb", small, large)
    assert found.outcome is Outcomes.ERROR
    assert "whose memory is not measured alike" in found.message


def test_sizes_compare_wherever_they_were_trained():
    assert verdict("small.size_mb <= large.size_mb", side("small", HERE), side("large", THERE)).outcome is Outcomes.PASS


def test_a_training_beside_others_is_no_measure_of_its_time():
    large = side("large", GPU, shared=True)
    found = verdict("small.train_seconds <= large.train_seconds", side("small", GPU), large)
    assert found.outcome is Outcomes.ERROR
    assert "large was trained beside others" in found.message
    assert "--modelcompare-fresh" in found.message
