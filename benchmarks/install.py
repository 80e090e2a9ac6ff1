"""What the core takes on a disk and until its first verdict, beside everything: `python -m benchmarks.install`.

Two fresh environments, each with the versions of constraints.txt; in each a suite over 1,000 recorded answers, judged
seven times in a process of its own. Needs a package index; downloads are counted, so a cache of pip's makes them short.
"""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
KINDS = {"core": ".", "all": ".[all]"}
TIMES = 7
SUITE = """\
modelcompare: 1
data: {test: test.csv}
contestants:
  ours: {predictions: ours.csv}
  llm: {predictions: llm.csv}
gates:
  - ours beats llm on accuracy
"""


def main() -> None:
    for name, what in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            python, seconds = installed(Path(folder) / "venv", what)
            (packages,) = (Path(folder) / "venv").glob("lib/python*/site-packages")
            first, *later = (first_verdict(python, Path(folder)) for _ in range(TIMES))
            print(
                f"{name}: {megabytes(packages):,.0f} MB, installed in {seconds:.0f} s; first verdict after "
                f"{first:.2f} s, then {statistics.median(later):.2f} s ({min(later):.2f} to {max(later):.2f})"
            )


def installed(folder: Path, what: str) -> tuple[Path, float]:
    """The environment's Python, and how long pip took."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    started = time.perf_counter()
    command = [sys.executable, "-m", "pip", f"--python={python}", "install", "--quiet", "-c", "constraints.txt", what]
    subprocess.run(command, cwd=ROOT, check=True)
    return python, time.perf_counter() - started


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def first_verdict(python: Path, folder: Path) -> float:
    """Seconds until pytest has judged a suite and ended."""
    rows = [(f"text number {row}", ("ham", "spam")[row % 2]) for row in range(1000)]
    write(folder / "test.csv", "label", rows)
    for name, every in (("ours", 20), ("llm", 10)):
        write(
            folder / f"{name}.csv",
            "prediction",
            [(text, "?" if not at % every else label) for at, (text, label) in enumerate(rows)],
        )
    (folder / "mails.modelcompare.yaml").write_text(SUITE, encoding="utf-8")
    started = time.perf_counter()
    subprocess.run([python, "-m", "pytest", "-q", "--modelcompare"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def write(path: Path, column: str, rows: list[tuple[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", column), *rows])


if __name__ == "__main__":
    main()
