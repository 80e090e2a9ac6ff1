from __future__ import annotations

import math
import os

import pytest

from pytest_modelcompare.inference import device
from pytest_modelcompare.inference.cgroup import quota


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
        return quota(tmp_path / "cgroup", tmp_path / "mountinfo")

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
    assert quota(tmp_path / "none", tmp_path / "none") == math.inf


@pytest.mark.parametrize(("allowed", "cores"), [(0.5, 1), (1.5, 2), (2.0, 2), (math.inf, 4)])
def test_cores_are_the_quota_rounded_up_within_the_affinity(monkeypatch, allowed, cores):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(device, "cpu_quota", lambda: allowed)
    assert device.cpu_count() == cores


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
