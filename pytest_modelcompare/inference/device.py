"""Which device and precision work runs in, on how many threads, why, and the machine in words."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import platform
import re
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference.cores import cpu_count, how_threads_wait
from pytest_modelcompare.records import Device

if TYPE_CHECKING:
    import torch

CPUINFO = Path("/proc/cpuinfo")
WORTHWHILE = 1.2
"""bf16 is taken on a CPU when it is at least this many times faster than fp32."""


def device_kind(requested: str) -> str:
    """cpu, cuda or mps for auto, cpu, cuda or mps. Does not import torch, but asks it where it is loaded."""
    if requested != "auto":
        return requested
    if cuda_name() is not None and driver_suffices() and ("torch" not in sys.modules or cuda_refusal() is None):
        return "cuda"
    return "mps" if (platform.system(), platform.machine()) == ("Darwin", "arm64") else "cpu"


def machine_in_words(kind: str) -> str:
    """The hardware in words, e.g. "AMD EPYC 7B13, 2 cores". Does not import torch."""
    if kind == "cuda":
        return cuda_name() or "CUDA device"
    words = f"{cpu_model()}, {cpu_count()} cores"
    return f"{words}, GPU" if kind == "mps" else words


def choose_device(requested: str, precision: str) -> Device:
    """The device and precision for `auto | cpu | cuda | mps` and `auto | fp32 | bf16 | fp16`, with the reason.

    torch is kept to as many threads as this process may have cores.

    Raises:
        ModelError: the device that was asked for is not there.
    """
    import torch

    kind = device_kind(requested)
    there = {"cpu": True, "cuda": cuda_refusal() is None, "mps": torch.backends.mps.is_available()}
    if not there.get(kind, False):
        if requested != "auto":
            why = f": {cuda_refusal()}" if kind == "cuda" else ""
            raise ModelError(f"there is no {kind} device that torch can use{why}", fix="choose another device, or auto")
        kind = "cpu"
    threads = limit_threads()
    chosen = precision_for(kind) if precision == "auto" else Device(kind, precision, "as the suite says")
    chosen = replace(chosen, threads=threads, threads_because="every core", threads_wait=how_threads_wait())
    passed_over = cuda_name() if requested == "auto" and kind == "cpu" else None
    if passed_over is None:
        return chosen
    return replace(chosen, reason=f"{chosen.reason}; torch cannot use {passed_over}: {cuda_refusal()}")


def limit_threads() -> int:
    """Keep torch to `cpu_count` threads, never to more than it had (OMP_NUM_THREADS stands); returns how many.

    torch counts the machine's cores; in a container that may use two of 64, the other threads only wait.
    """
    import torch

    wanted = min(torch.get_num_threads(), cpu_count())
    if wanted != torch.get_num_threads():
        torch.set_num_threads(wanted)
    return wanted


@functools.cache
def precision_for(kind: str) -> Device:
    """bf16 where the hardware has it and it pays, fp16 on a CUDA device without it; probed once per process."""
    import torch

    if kind == "cuda":
        major, minor = torch.cuda.get_device_capability()
        if major >= 8:
            return Device(kind, "bf16", f"compute capability {major}.{minor} supports bf16")
        if major >= 7:
            return Device(kind, "fp16", f"compute capability {major}.{minor} has no bf16; its tensor cores take fp16")
        return Device(kind, "fp32", f"compute capability {major}.{minor} has neither bf16 nor tensor cores")
    if kind == "mps":
        return Device(kind, "fp32", "bf16 is not tried on mps")
    if not cpu_has_bf16():
        return Device(kind, "fp32", "this CPU has no bf16 instructions")
    ratio = bf16_speed_up()
    precision = "bf16" if ratio >= WORTHWHILE else "fp32"
    return Device(kind, precision, f"a probe found bf16 matrix products {ratio:.1f} times as fast as fp32")


def bf16_speed_up() -> float:
    """How many times faster bf16 matrix products are here: best of nine, interleaved, some 50 ms in all."""
    import torch

    def seconds(dtype: torch.dtype) -> float:
        rows, weights = torch.ones(512, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype)
        start = time.perf_counter()
        torch.nn.functional.linear(rows, weights)
        return time.perf_counter() - start

    with torch.inference_mode():
        pairs = [(seconds(torch.float32), seconds(torch.bfloat16)) for _ in range(9)]
    return min(fp32 for fp32, _ in pairs) / min(bf16 for _, bf16 in pairs)


def cpu_has_bf16() -> bool:
    """Whether the CPU computes in bf16; without, it is emulated a hundred times slower."""
    if not CPUINFO.exists():
        return False
    text = CPUINFO.read_text(encoding="utf-8", errors="replace")
    return re.search(r"^(flags|Features)\s*:.*\b(avx512_bf16|amx_bf16|bf16)\b", text, re.MULTILINE) is not None


def cpu_model() -> str:
    if CPUINFO.exists():
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        return found[1].strip() if found else platform.machine()
    if platform.system() == "Darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or platform.machine()  # noqa: S603
    return platform.processor() or platform.machine()


@functools.cache
def cuda_name() -> str | None:
    """The first CUDA device's name from the driver itself; None without one. Honours CUDA_VISIBLE_DEVICES."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count, device, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or count.value == 0:
        return None
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDeviceGetName(name, 256, device)
    return name.value.decode(errors="replace")


@functools.cache
def driver_suffices() -> bool:
    """Whether the NVIDIA driver is of the CUDA version that torch was built for, or later. Does not import torch.

    A driver runs what was built for its own major version, whatever the minor one.

    Source: https://docs.nvidia.com/deploy/cuda-compatibility/
    """
    needed = cuda_of_torch()
    if needed is None:
        return False
    version = ctypes.c_int()
    return not ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version)) and version.value // 1000 >= needed


@functools.cache
def cuda_of_torch() -> int | None:
    """CUDA's major version that torch was built for, read from its version file; None where it was built without."""
    spec = importlib.util.find_spec("torch")
    version = None if spec is None or spec.origin is None else Path(spec.origin).with_name("version.py")
    if version is None or not version.exists():
        return None
    found = re.search(r"^cuda\b[^=\n]*=\s*['\"](\d+)", version.read_text(), re.MULTILINE)
    return None if found is None else int(found[1])


@functools.cache
def cuda_refusal() -> str | None:
    """Why torch cannot use a CUDA device, in its own words where it has some; None where it can. Imports torch."""
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return None
    if said:
        return str(said[-1].message).partition(" (Triggered")[0].strip()
    return "it was built without CUDA" if torch.version.cuda is None else "it finds none"
