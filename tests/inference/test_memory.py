"""Peak memory: what was taken and given back again counts, what was there before does not."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_modelcompare.inference.memory import STATUS, PeakMemory, held_mb

pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="resident memory is read from /proc")
MIB = 2**20


def block(megabytes: int) -> np.ndarray:
    return np.ones(megabytes * MIB, np.uint8)  # touched, so that it is resident


def test_the_peak_counts_what_was_given_back_before_the_end():
    with PeakMemory("cpu") as memory:
        block(96)
        last = block(16)
    assert last.nbytes
    assert memory.mb == pytest.approx(96, abs=12)


def test_what_was_there_before_does_not_count():
    before = block(128)
    with PeakMemory("cpu") as memory:
        block(32)
    assert before.nbytes
    assert memory.mb == pytest.approx(32, abs=12)


def test_an_earlier_peak_does_not_count():
    block(256)
    with PeakMemory("cpu") as memory:
        pass
    assert memory.mb < 12


def test_what_is_held_leaves_out_what_making_it_took():
    def make() -> np.ndarray:
        scaffold = block(128)
        return block(48) + scaffold[:1]

    made, held = held_mb(make, "cpu")
    assert made.nbytes == 48 * MIB
    assert held == pytest.approx(48, abs=12)


def test_on_a_gpu_what_another_library_holds_is_unknown():
    assert np.isnan(held_mb(object, "cuda")[1])
