"""What the parts found, in a line or two each: on the screen and as `summary.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def print_summary(folder: Path, parts: Sequence[str]) -> None:
    """Of the parts that are there; a part that was cut off says what it had found."""
    there = {
        part: json.loads((folder / f"{part}.json").read_text()) for part in parts if (folder / f"{part}.json").exists()
    }
    missing = [part for part in parts if part not in there]
    lines = [line for part, one in there.items() for line in LINES[part](one["found"])]
    machines = sorted({one["machine"] for one in there.values()})
    print(*machines, *lines, *([f"not there: {', '.join(missing)}"] if missing else []), sep="\n")
    summary = {"machines": machines, "missing": missing, "lines": lines}
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def of_tests(found: dict[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{len(found[how])} {how}" for how in ("passed", "failed", "error", "skipped") if found[how])
    yield f"tests: {counts or 'none'}"
    yield from (f"  failed: {name}" for name in (*found["failed"], *found["error"]))


def of_peak(found: dict[str, Any]) -> Iterator[str]:
    yield f"peak: {found['bf16_tflops']:.3g} TFLOP/s in bf16, {found['copy_gib_per_s']:.0f} GiB/s copied"


def of_training(found: dict[str, Any]) -> Iterator[str]:
    for name, one in models_in(found):
        slow, fast = (min(one["seconds"][way]) for way in ("textbook", "ours"))
        memory = one["peak_memory_mib"]
        yield (
            f"training {name}: {one['ratio']:.1f} times the textbook ({slow:.1f} against {fast:.1f} s), "
            f"{share(one)} of peak, {memory['textbook']:.0f} against {memory['ours']:.0f} MiB, "
            f"accuracy {max(one['accuracy']['textbook']):.3f} against {max(one['accuracy']['ours']):.3f}"
        )


def of_techniques(found: dict[str, Any]) -> Iterator[str]:
    for name, ways in models_in(found):
        for way, one in ways.items():
            if "error" in one:
                yield f"step of {name}, {way}: {one['error'].splitlines()[0]}"
            else:
                notes = f" ({'; '.join(one['notes'])})" if one["notes"] else ""
                yield f"step of {name}, {way}: {one['ms_per_step']:.2f} ms, {share(one)} of peak{notes}"


def of_many(found: dict[str, Any]) -> Iterator[str]:
    times = ", ".join(f"{way} {seconds:.1f} s" for way, seconds in found["seconds"].items())
    ratio = f"; {found['ratio']:.1f} times the textbook one after another" if "ratio" in found else ""
    yield f"{found['trainings']} trainings: {times}{ratio}"


def of_serving(found: dict[str, Any]) -> Iterator[str]:
    for name, ways in models_in(found):
        for way, one in ways.items():
            yield (
                f"serving {name}, {way}: p50 {one['latency_p50_ms']:.2f} ms, p95 {one['latency_p95_ms']:.2f} ms, "
                f"{one['rows_per_s']:.0f} rows/s in batches of {one['batch']}"
            )


def share(one: dict[str, Any]) -> str:
    return "an unknown share" if one["share_of_peak"] is None else f"{one['share_of_peak']:.1%}"


def models_in(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, one) for name, one in found.items() if isinstance(one, dict))


LINES = {
    "tests": of_tests,
    "peak": of_peak,
    "training": of_training,
    "techniques": of_techniques,
    "many": of_many,
    "serving": of_serving,
}
