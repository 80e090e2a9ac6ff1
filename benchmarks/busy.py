"""A training beside other work: `python -m benchmarks.busy`.

MiniLM is trained on made-up texts in a process of its own, on a quiet machine, and beside one and two processes that
compute without end; in turns, medians. Beside each stands the ratio to the ideal: so many times the quiet time as a
fair share of the cores would take. The same with idle threads that wait as OpenMP does by default (`--no-default`
leaves it out). Needs the extra `benchmarks`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_modelcompare.inference.cores import ASKED, PATIENT, cpu_count
from pytest_modelcompare.inference.device import machine_in_words

BUSY = "while True: sum(range(100_000))"
ONE = """\
import json, time
from argparse import Namespace
from benchmarks.training import dataset_for, ours
given = Namespace(train=None, rows={rows}, test_rows=64, epochs=1.0, max_length=128, precision="auto")
data = dataset_for(given)
began = time.perf_counter()
ours(data, 0, given)
print(json.dumps(time.perf_counter() - began))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="A training beside other work.")
    parser.add_argument("--rows", type=int, default=320)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--default", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    ways = {"ours": PATIENT, **({"OpenMP's default": {}} if arguments.default else {})}
    found: dict[tuple[str, int], list[float]] = {(way, others): [] for way in ways for others in (0, 1, 2)}
    for _ in range(arguments.repeats):
        for way, others in found:
            with busy(others):
                found[way, others].append(trained_in(ways[way], arguments.rows))
    print(f"{machine_in_words('cpu')}; {arguments.rows} rows, medians of {arguments.repeats}")
    for way in ways:
        quiet = statistics.median(found[way, 0])
        for others in (0, 1, 2):
            seconds = statistics.median(found[way, others])
            ideal = quiet * max(1.0, (cpu_count() + others) / cpu_count())
            print(f"  {way:<18} beside {others} busy: {seconds:6.1f} s, {seconds / ideal:.2f} times the ideal share")


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many other processes that compute without end."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


def trained_in(waiting: dict[str, str], rows: int) -> float:
    """Seconds of one training in a process of its own, from text to scored test rows, imports excluded."""
    environment = {name: value for name, value in os.environ.items() if name not in ASKED}
    done = subprocess.run(
        [sys.executable, "-c", ONE.format(rows=rows)], env={**environment, **waiting}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
