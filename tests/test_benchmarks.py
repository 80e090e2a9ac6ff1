"""Benchmarks are run by hand; that they still fit the package is tested here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = sorted(
    ".".join(path.relative_to(ROOT / "benchmarks").with_suffix("").parts)
    for path in (ROOT / "benchmarks").rglob("[a-z]*.py")
)


def test_every_benchmark_can_be_imported():
    code = "; ".join(f"import benchmarks.{name}" for name in BENCHMARKS)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_all_that_is_measured_on_a_gpu_runs_on_a_cpu_with_tiny_shapes(tmp_path):
    pytest.importorskip("accelerate", reason="needs the extra `benchmarks` (accelerate)")
    environment = {**os.environ, "PYTHON": sys.executable, "SHAPES": "tiny", "SCALE": "5"}
    command = [ROOT / "benchmarks" / "on_gpu.sh", tmp_path / "found"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    summary = json.loads((tmp_path / "found" / "summary.json").read_text())
    assert summary["missing"] == []
    steps = [line for line in summary["lines"] if line.startswith("step of")]
    assert len(steps) == 14
    assert not [line for line in steps if "Error" in line]
    assert any(line.startswith("10 trainings: side by side") for line in summary["lines"])


def test_a_part_that_is_cut_off_leaves_the_others(tmp_path):
    environment = {**os.environ, "PYTHON": sys.executable, "SHAPES": "tiny", "SCALE": "0.05", "PARTS": "peak"}
    command = [ROOT / "benchmarks" / "on_gpu.sh", tmp_path / "found"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "peak: exit 124" in done.stdout
    assert json.loads((tmp_path / "found" / "summary.json").read_text())["missing"][:2] == ["tests", "peak"]
