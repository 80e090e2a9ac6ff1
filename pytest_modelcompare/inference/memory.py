"""How much memory a piece of work took at its peak."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
MIB = 2**20
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """A context; afterwards `mb` is the peak above what was in use when it began, in 2**20 bytes.

    On CUDA it is what torch allocated; on Linux the process's resident memory
    (other threads' included). NaN where the system does not tell.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.mb = float("nan")

    def __enter__(self) -> PeakMemory:
        gc.collect()
        if self.kind == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated() / MIB
        elif STATUS.exists():
            return_freed_memory()
            try:
                CLEAR.write_text("5", encoding="ascii")  # VmHWM starts anew, see proc(5)
                self.before = resident_mb("VmRSS")
            except OSError:
                self.before = float("nan")
        else:
            self.before = float("nan")
        return self

    def __exit__(self, *exception: object) -> None:
        if self.kind == "cuda":
            import torch

            self.mb = torch.cuda.max_memory_allocated() / MIB - self.before
        elif STATUS.exists():
            self.mb = max(0.0, resident_mb("VmHWM") - self.before) if self.before == self.before else self.before


def held_mb(make: Callable[[], T], kind: str) -> tuple[T, float]:
    """What `make` makes, and the memory that it keeps, in 2**20 bytes; for what is no torch module.

    Loading peaks higher, once; that is no part of what serving takes. NaN where the system does not tell, and on
    CUDA, whose memory is counted by torch's allocator and not by others'.
    """
    if kind != "cpu" or not STATUS.exists():
        return make(), float("nan")
    gc.collect()
    return_freed_memory()
    before = resident_mb("VmRSS")
    made = make()
    return_freed_memory()
    return made, max(0.0, resident_mb("VmRSS") - before)


def resident_mb(field: str) -> float:
    found = re.search(rf"^{field}:\s+(\d+) kB", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) / 1024 if found else float("nan")


def return_freed_memory() -> None:
    """glibc keeps freed memory: what an earlier job left would hide what this one takes."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def folder_mb(folder: Path) -> float:
    """What the files of a folder take on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MIB


def weights_mb(model: Any) -> float:
    """What a torch module's parameters and buffers take in memory."""
    tensors = (*model.parameters(), *model.buffers())
    return float(sum(tensor.numel() * tensor.element_size() for tensor in tensors) / MIB)
