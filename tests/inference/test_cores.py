"""How many threads compute, and how idle ones wait."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time

import pytest

from pytest_modelcompare.inference import cores, device
from pytest_modelcompare.inference.cores import Threads, cores_left, read_quota, training_threads, wait_patiently


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
    code = f"{first}\nfrom pytest_modelcompare.inference.cores import *\nwait_patiently()\nprint(how_threads_wait())"
    clean = {name: value for name, value in os.environ.items() if name not in cores.ASKED}
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
    monkeypatch.setattr(cores, "cpus_allowed", lambda: {0, 1, 2, 3})
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
    monkeypatch.setattr(cores, "free_cores", lambda: free)
    found = training_threads(8)
    assert found.count == count
    assert found.reason == ("every core" if count == 8 else f"{free:.1f} of 8 cores were free")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert training_threads(2) == Threads(2, "OMP_NUM_THREADS")


@pytest.fixture
def machine(tmp_path):
    """Files as Linux shows them: what a process belongs to, what is mounted, and groups' limits."""

    def made(membership, mount, **limits):
        (tmp_path / "cgroup").write_text(membership)
        (tmp_path / "mountinfo").write_text(mount.format(tmp_path / "fs"))
        for place, text in limits.items():
            path = tmp_path / "fs" / place.replace("__", "/").replace("cpu_max", "cpu.max")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return read_quota(tmp_path / "cgroup", tmp_path / "mountinfo")

    return made


V2 = "30 23 0:26 / {} rw,nosuid - cgroup2 cgroup2 rw\n"
V1 = "32 31 0:29 / {}/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"


def test_the_smallest_limit_on_the_way_up_holds(machine):
    limits = {"cpu_max": "max 100000\n", "job__cpu_max": "150000 100000\n", "job__step__cpu_max": "400000 100000\n"}
    assert machine("0::/job/step\n", V2, **limits) == 1.5


def test_a_group_without_a_limit_is_bounded_by_nothing(machine):
    assert machine("0::/job\n", V2, job__cpu_max="max 100000\n") == math.inf


def test_the_first_version_of_cgroups_is_read(machine, tmp_path):
    group = tmp_path / "fs" / "cpu" / "job"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text("250000\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    assert machine("5:devices:/job\n4:cpu,cpuacct:/job\n0::/\n", V1) == 2.5
    (group / "cpu.cfs_quota_us").write_text("-1\n")
    assert machine("4:cpu,cpuacct:/job\n", V1) == math.inf


def test_in_a_container_the_mounted_group_is_the_top(machine):
    mount = "30 23 0:26 /docker/abc {} ro - cgroup2 cgroup rw\n"
    assert machine("0::/docker/abc\n", mount, cpu_max="50000 100000\n") == 0.5
    assert machine("0::/\n", mount, cpu_max="50000 100000\n") == 0.5  # its own name space: another name, the same group


def test_without_cgroups_there_is_no_limit(tmp_path):
    assert read_quota(tmp_path / "none", tmp_path / "none") == math.inf


@pytest.mark.parametrize(("allowed", "count"), [(0.5, 1), (1.5, 2), (2.0, 2), (math.inf, 4)])
def test_cores_are_the_quota_rounded_up_within_the_affinity(monkeypatch, allowed, count):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(cores, "cpu_quota", lambda: allowed)
    assert cores.cpu_count() == count


def test_torch_is_kept_to_the_quota_and_never_given_more(monkeypatch):
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        monkeypatch.setattr(device, "cpu_count", lambda: 1)
        assert (device.limit_threads(), torch.get_num_threads()) == (1, 1)
        monkeypatch.setattr(device, "cpu_count", lambda: 8)
        assert (device.limit_threads(), torch.get_num_threads()) == (1, 1)
    finally:
        torch.set_num_threads(before)
