"""What an installed, unused pytest-modelcompare adds to a pytest run: `python benchmarks/startup.py`.

Compares `pytest` with `pytest -p no:modelcompare` on one trivial test, runs interleaved, medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 15


def seconds(folder: Path, *arguments: str) -> float:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one(): pass\n")
        seconds(folder)
        pairs = [(seconds(folder), seconds(folder, "-p", "no:modelcompare")) for _ in range(RUNS)]
    with_it, without = (statistics.median(side) for side in zip(*pairs, strict=True))
    added = (with_it - without) * 1e3
    print(
        f"with {with_it * 1e3:.0f} ms, without {without * 1e3:.0f} ms: {added:+.0f} ms, ratio {with_it / without:.3f}"
    )


if __name__ == "__main__":
    main()
