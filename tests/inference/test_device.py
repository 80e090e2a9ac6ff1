from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import warnings

import pytest

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.inference import device
from pytest_modelcompare.inference.device import choose_device, machine_in_words


@pytest.fixture
def cpuinfo(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "CPUINFO", tmp_path / "cpuinfo")
    return tmp_path / "cpuinfo"


def test_a_machine_is_its_processor_and_cores(cpuinfo, monkeypatch):
    cpuinfo.write_text("processor : 0\nmodel name\t: AMD EPYC 7B13\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert machine_in_words("cpu") == "AMD EPYC 7B13, 2 cores"


@pytest.mark.parametrize(("flags", "there"), [("fpu avx512_bf16 avx2", True), ("fpu avx2", False)])
def test_bf16_is_seen_in_the_flags(cpuinfo, flags, there):
    cpuinfo.write_text(f"model name\t: x\nflags\t\t: {flags}\n")
    assert device.cpu_has_bf16() is there


def test_without_bf16_instructions_nothing_is_probed(cpuinfo, monkeypatch):
    cpuinfo.write_text("flags : fpu\n")
    monkeypatch.setattr(device, "bf16_speed_up", lambda: pytest.fail("probed"))
    found = device.precision_for.__wrapped__("cpu")
    assert (found.precision, found.reason) == ("fp32", "this CPU has no bf16 instructions")


@pytest.mark.parametrize(("ratio", "precision"), [(1.1, "fp32"), (4.0, "bf16")])
def test_bf16_is_taken_where_it_pays(cpuinfo, monkeypatch, ratio, precision):
    cpuinfo.write_text("flags : avx512_bf16\n")
    monkeypatch.setattr(device, "bf16_speed_up", lambda: ratio)
    found = device.precision_for.__wrapped__("cpu")
    assert found.precision == precision
    assert f"{ratio:.1f} times as fast" in found.reason


@pytest.mark.parametrize(
    ("capability", "precision", "reason"),
    [
        ((9, 0), "bf16", "compute capability 9.0 supports bf16"),
        ((7, 5), "fp16", "compute capability 7.5 has no bf16; its tensor cores take fp16"),
        ((6, 1), "fp32", "compute capability 6.1 has neither bf16 nor tensor cores"),
    ],
)
def test_a_cuda_device_takes_the_fastest_type_it_has(monkeypatch, capability, precision, reason):
    import torch

    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    found = device.precision_for.__wrapped__("cuda")
    assert (found.precision, found.reason) == (precision, reason)


def test_what_the_suite_says_wins():
    chosen = choose_device("cpu", "fp32")
    assert (chosen.kind, chosen.precision, chosen.reason) == ("cpu", "fp32", "as the suite says")


def test_a_device_that_is_not_there_is_an_error(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device.cuda_refusal.cache_clear()
    with pytest.raises(ModelError, match="no cuda device"):
        choose_device("cuda", "auto")
    device.cuda_refusal.cache_clear()


@pytest.fixture
def driver(monkeypatch):
    """An NVIDIA driver that torch cannot use."""
    import torch

    def is_available():
        warnings.warn("the driver is too old (found version 11040) (Triggered internally at c10.cpp:109)", stacklevel=1)
        return False

    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(device, "cuda_name", lambda: "NVIDIA A10")
    monkeypatch.setattr(device, "driver_suffices", lambda: True)
    device.cuda_refusal.cache_clear()
    yield
    device.cuda_refusal.cache_clear()


def test_a_driver_that_torch_cannot_use_is_passed_over_and_the_reason_kept(driver):
    assert device.device_kind("auto") == "cpu"
    found = choose_device("auto", "fp32")
    assert (found.kind, found.precision) == ("cpu", "fp32")
    assert found.reason == "as the suite says; torch cannot use NVIDIA A10: the driver is too old (found version 11040)"


def test_who_asks_for_a_device_that_torch_cannot_use_is_told_why(driver):
    with pytest.raises(ModelError, match=r"no cuda device that torch can use: the driver is too old"):
        choose_device("cuda", "auto")


@pytest.mark.parametrize(("version", "suffices"), [(13000, True), (12080, True), (12020, True), (11080, False)])
def test_a_driver_runs_what_was_built_for_its_own_major_version(monkeypatch, version, suffices):
    class Driver:
        def cuDriverGetVersion(self, found):
            found._obj.value = version
            return 0

    monkeypatch.setattr(device, "cuda_of_torch", lambda: 12)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver())
    assert device.driver_suffices.__wrapped__() is suffices


def test_naming_the_machine_imports_no_torch():
    code = (
        "import sys; from pytest_modelcompare.inference.device import *;"
        "assert machine_in_words(device_kind('auto')); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
