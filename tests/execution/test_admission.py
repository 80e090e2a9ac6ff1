"""How many trainings a GPU takes: the numbers are MiB."""

from __future__ import annotations

import pytest

from pytest_modelcompare.execution.executors.admission import ByMemory
from pytest_modelcompare.execution.executors.orders import Tidings, Usage
from pytest_modelcompare.records.progress import Progress


def tidings(free, peak, done=30, total=100):
    return Tidings(Progress(done, total), Usage(free, peak))


def begun(admission, name, kind):
    """A training that has taken its first step."""
    admission.begin(name, kind)
    admission.heard(name, tidings(free=50_000, peak=1, done=1))


@pytest.fixture
def admission():
    found = ByMemory(most=3)
    begun(found, "a", "bert")
    return found


def test_the_first_training_begins_whatever_the_memory_and_the_next_waits_for_its_peak(admission):
    assert ByMemory(most=3).admits("bert")
    assert not admission.admits("bert")
    admission.heard("a", tidings(free=50_000, peak=4_000, done=29))
    assert not admission.admits("bert")
    admission.heard("a", tidings(free=50_000, peak=4_000))
    assert admission.admits("bert")


def test_a_short_training_has_shown_its_peak_at_its_end(admission):
    admission.heard("a", tidings(free=50_000, peak=4_000, done=6, total=6))
    assert admission.admits("bert")


def test_a_resumed_training_has_yet_to_show_its_peak():
    admission = ByMemory(most=3)
    admission.begin("a", "bert")
    admission.heard("a", tidings(free=50_000, peak=4_000, done=501, total=1_000))  # its first step here
    admission.heard("a", tidings(free=50_000, peak=4_000, done=529, total=1_000))
    assert not admission.admits("bert")
    admission.heard("a", tidings(free=50_000, peak=4_000, done=530, total=1_000))
    assert admission.admits("bert")


def test_a_training_needs_its_peak_and_a_quarter_beside_what_the_others_may_still_grow(admission):
    # 1.25 · 4,000 and .25 · 4,000
    admission.heard("a", tidings(free=6_000, peak=4_000))
    assert admission.admits("bert")
    admission.heard("a", tidings(free=5_999, peak=4_000))
    assert not admission.admits("bert")


def test_a_model_not_seen_before_is_taken_to_need_twice_as_much(admission):
    # 1.25 · 8,000 and .25 · 4,000
    admission.heard("a", tidings(free=11_000, peak=4_000))
    assert admission.admits("large")
    admission.heard("a", tidings(free=10_999, peak=4_000))
    assert not admission.admits("large")
    assert admission.admits("bert")


def test_a_peak_is_remembered_when_its_training_has_ended(admission):
    admission.heard("a", tidings(free=50_000, peak=4_000))
    admission.end("a")
    begun(admission, "b", "small")
    admission.heard("b", tidings(free=5_249, peak=1_000))
    assert not admission.admits("bert")  # 1.25 · 4,000 and .25 · 1,000 are 5,250
    admission.heard("b", tidings(free=5_250, peak=1_000))
    assert admission.admits("bert")


def test_no_more_begin_than_may_whatever_the_memory(admission):
    for name in ("b", "c"):
        begun(admission, name, "bert")
    for name in ("a", "b", "c"):
        admission.heard(name, tidings(free=90_000, peak=1))
    assert not admission.admits("bert")


def test_where_memory_is_not_measured_one_training_follows_the_other(admission):
    admission.heard("a", Tidings(Progress(50, 100)))
    assert not admission.admits("bert")
    admission.end("a")
    assert admission.admits("bert")
