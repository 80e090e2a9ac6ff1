"""How many threads compute, and how idle ones wait."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from pytest_modelcompare.inference import threads
from pytest_modelcompare.inference.threads import Threads, cores_left, training_threads, wait_patiently


def test_idle_threads_sleep_soon_unless_somebody_has_decided():
    nothing: dict[str, str] = {}
    wait_patiently(nothing)
    assert nothing["GOMP_SPINCOUNT"] == "1000"
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        decided = {name: "as I like"}
        wait_patiently(decided)
        assert decided == {name: "as I like"}


SAID = [("", "GOMP_SPINCOUNT=1000, KMP_BLOCKTIME=1"), ("import torch", "spinning: torch")]


@pytest.mark.parametrize(("first", "said"), SAID)
def test_the_record_says_how_threads_wait(first: str, said: str):
    code = f"{first}\nfrom pytest_modelcompare.inference.threads import *\nwait_patiently()\nprint(how_threads_wait())"
    clean = {name: value for name, value in os.environ.items() if name not in threads.ASKED}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(said)


def stat(busy: list[float]) -> str:
    """Ticks of each processor: user nice system idle iowait irq softirq steal."""
    lines = [f"cpu{number} {share * 100:.0f} 0 0 {100 - share * 100:.0f} 0 0 0 0" for number, share in enumerate(busy)]
    return "\n".join(["cpu 1 2 3 4 5 6 7 8", *lines, "intr 1 2 3"])


@pytest.mark.parametrize(
    ("busy", "minute", "left"),
    [
        ([1.0, 0.0, 0.0, 0.0], 4.0, 3.0),
        ([1.0, 1.0, 1.0, 0.0], 3.0, 1.0),
        ([1.0, 1.0, 1.0, 1.0], 0.5, 3.5),  # a moment of somebody's work is not a minute of it
        ([0.0, 0.0, 0.0, 0.0], 9.0, 4.0),
    ],
)
def test_cores_are_free_that_others_do_not_use(tmp_path, monkeypatch, busy, minute, left):
    monkeypatch.setattr(threads, "cpus_allowed", lambda: {0, 1, 2, 3})
    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    files = tmp_path / "stat", tmp_path / "loadavg"
    files[0].write_text(stat([0.0] * 4).replace("100", "0"))
    files[1].write_text(f"{minute} 1.0 1.0 1/100 7")
    assert cores_left(*files, lambda _: files[0].write_text(stat(busy))) == pytest.approx(left)


def test_where_the_system_does_not_tell_every_core_counts_as_free(tmp_path):
    assert cores_left(tmp_path / "none", tmp_path / "none", lambda _: None) is None


@pytest.mark.parametrize(("free", "count"), [(None, 8), (8.0, 8), (7.9, 8), (3.2, 3), (0.2, 1), (-2.0, 1)])
def test_a_training_takes_the_cores_that_are_free(monkeypatch, free, count):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "free_cores", lambda: free)
    found = training_threads(8)
    assert found.count == count
    assert found.reason == ("every core" if count == 8 else f"{free:.1f} of 8 cores were free")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert training_threads(2) == Threads(2, "OMP_NUM_THREADS")
