"""How many cores the control group (cgroup) that this process runs in may use."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNTS = Path("/proc/self/mountinfo")


@functools.cache
def cpu_quota() -> float:
    """The smallest CPU quota of this process's cgroup and those above it, in cores; infinite without one.

    Reads `cpu.max` of cgroup v2 and `cpu.cfs_quota_us` of v1. Only Linux has them.
    """
    return quota(MEMBERSHIP, MOUNTS)


def quota(membership: Path, mounts: Path) -> float:
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
                found += [quota_of(group) for group in upwards(root, folder, path)]
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


def upwards(root: str, folder: Path, path: str) -> Iterator[Path]:
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
