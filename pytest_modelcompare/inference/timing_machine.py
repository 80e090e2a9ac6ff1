"""The machine that timings are of, in words, and the threads that predict on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection

from pytest_modelcompare.inference.device import cpu_count, limit_threads, machine_in_words


def threads() -> int:
    """Threads that will predict on the CPU: OMP_NUM_THREADS where it is set, never more than there are cores for.

    Does not import torch, which decides in much the same way: what was measured says how many it really had.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return min(int(asked), cpu_count()) if asked.isdecimal() and int(asked) else cpu_count()


def threads_now() -> int:
    """Threads that predict on the CPU in this process: torch's, where a model has loaded it."""
    return limit_threads() if "torch" in sys.modules else threads()


def timing_machine(kinds: Collection[str], n_threads: int) -> str:
    """The machine in words, for timings: its GPU where one predicts, its CPU, and how many threads predict there."""
    words = [machine_in_words(kind) for kind in ("cuda", "mps") if kind in kinds]
    return "; ".join([*words, f"{machine_in_words('cpu')}, {n_threads} thread{'s' * (n_threads > 1)}"])
