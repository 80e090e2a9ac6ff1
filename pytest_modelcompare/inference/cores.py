"""How many cores this process may use, how many threads compute on them, and how those wait that have nothing to do."""

from __future__ import annotations

import functools
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNTS = Path("/proc/self/mountinfo")


def cpu_count() -> int:
    """The cores that this process may use: by affinity (and so by cpuset), and by the cgroup's quota, rounded up."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, cpu_quota())))


@functools.cache
def cpu_quota() -> float:
    """The smallest CPU quota of this process's cgroup and those above it, in cores; infinite without one.

    Reads `cpu.max` of cgroup v2 and `cpu.cfs_quota_us` of v1. Only Linux has them.
    """
    return read_quota(MEMBERSHIP, MOUNTS)


def read_quota(membership: Path, mounts: Path) -> float:
    """`cpu_quota` from the files that say to which groups a process belongs and where they are mounted.

    Source: proc(5), cgroups(7).
    """
    try:
        groups = [line.split(":", 2) for line in membership.read_text(encoding="utf-8").splitlines()]
        mounted = mounts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return math.inf
    found = [math.inf]
    for number, controllers, path in (group for group in groups if len(group) == 3):
        second = number == "0" and not controllers
        if second or "cpu" in controllers.split(","):
            for root, folder in mount_points(mounted, "" if second else "cpu"):
                found += [quota_of(group) for group in groups_upwards(root, folder, path)]
    return min(found)


def mount_points(mounted: list[str], controller: str) -> Iterator[tuple[str, Path]]:
    """Where a hierarchy is mounted: the group at its top, and the folder. Controller "" is cgroup v2."""
    for line in mounted:
        place, _, kind = line.partition(" - ")
        fields, described = place.split(), kind.split()
        if len(fields) < 5 or len(described) < 3:
            continue
        if (described[0] == "cgroup2") if not controller else controller in described[2].split(","):
            yield fields[3], Path(fields[4])


def groups_upwards(root: str, folder: Path, path: str) -> Iterator[Path]:
    """The folders of a group and of those above it, as far as they are mounted."""
    inside = path.removeprefix(root.rstrip("/")) if path.startswith(root) else ""
    # A container sees its own group as the top, whatever /proc/self/cgroup calls it.
    group = folder / inside.lstrip("/")
    while True:
        yield group
        if group == folder or folder not in group.parents:
            return
        group = group.parent


def quota_of(group: Path) -> float:
    """The quota that one group sets, in cores."""
    try:
        if (unified := group / "cpu.max").exists():
            limit, period = unified.read_text(encoding="ascii").split()
            return math.inf if limit == "max" else int(limit) / int(period)
        limit = (group / "cpu.cfs_quota_us").read_text(encoding="ascii")
        period = (group / "cpu.cfs_period_us").read_text(encoding="ascii")
        return int(limit) / int(period) if int(limit) > 0 else math.inf
    except (OSError, ValueError):
        return math.inf


STAT = Path("/proc/stat")
LOAD = Path("/proc/loadavg")

PATIENT = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "1"}
"""What keeps threads of GNU's and of LLVM's OpenMP from spinning for long before they sleep.

A thread that spins takes a core from whoever has work: two trainings on two cores, or one beside a busy process, wait
for each other's waiting. 1,000 rounds are some microseconds, enough for the next matrix product to find it awake.

Source: https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html
"""

ASKED = ("OMP_WAIT_POLICY", *PATIENT)
"""Whoever set one of these has decided."""

LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Threads:
    """How many, and why so many."""

    count: int
    reason: str


def wait_patiently(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let idle threads sleep soon, in this process where torch is not loaded yet, and in those that it starts."""
    if environment.keys().isdisjoint(ASKED):
        environment.update(PATIENT)
        global _too_late
        _too_late = "torch" in sys.modules


_too_late = False


def how_threads_wait() -> str:
    """In words, for the record, e.g. "GOMP_SPINCOUNT=1000"."""
    if _too_late:
        return "spinning: torch was loaded before this could be said"
    return (
        ", ".join(f"{name}={os.environ[name]}" for name in ASKED if name in os.environ) or "as OpenMP does by default"
    )


def training_threads(cores: int) -> Threads:
    """As many as there are cores that nothing else keeps busy; OMP_NUM_THREADS stands.

    Args:
        cores: that this process may use.
    """
    if os.environ.get("OMP_NUM_THREADS"):
        return Threads(cores, "OMP_NUM_THREADS")
    free = free_cores()
    if free is None or free >= cores:
        return Threads(cores, "every core")
    count = max(1, round(free))
    return Threads(count, f"{free:.1f} of {cores} cores were free" if count < cores else "every core")


@functools.cache
def free_cores() -> float | None:
    """Cores that other processes leave free: now, or in the mean of the last minute where that was more.

    None where the system does not tell. Looked at once per process, so that equal trainings are computed alike.
    """
    return cores_left(STAT, LOAD, time.sleep)


def cores_left(stat: Path, load: Path, sleep: Callable[[float], None]) -> float | None:
    """`free_cores` from the files that say it."""
    try:
        before, own, began = busy_shares(stat), time.process_time(), time.monotonic()
        sleep(LOOK_S)
        after, ours = busy_shares(stat), (time.process_time() - own) / max(time.monotonic() - began, 1e-9)
        minute = float(load.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None
    allowed = [cpu for cpu in cpus_allowed() if cpu in before and cpu in after]
    busy = 0.0
    for cpu in allowed:
        total = after[cpu][1] - before[cpu][1]
        busy += (after[cpu][0] - before[cpu][0]) / total if total > 0 else 0.0
    if not allowed:
        return None
    # a moment's work of somebody else is no reason to go slowly for minutes
    return len(allowed) - min(max(0.0, busy - ours), max(0.0, minute))


def cpus_allowed() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def busy_shares(stat: Path) -> dict[int, tuple[float, float]]:
    """By processor: ticks in which it worked, and all ticks. Source: proc(5)."""
    found = {}
    for line in stat.read_text(encoding="ascii").splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            ticks = [float(field) for field in fields[:8]]
            found[int(name[3:])] = sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # neither idle nor waiting for a disk
    return found


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """So many while it lasts; None: as many as there are."""
    import torch

    before = torch.get_num_threads()
    if count is not None and count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)
