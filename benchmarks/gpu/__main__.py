"""One part: `python -m benchmarks.gpu PART --out FOLDER`; what was found is written after every step of it."""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.gpu import many, serving, techniques, training
from benchmarks.gpu.device_tests import run_tests
from benchmarks.gpu.peak import measure_peak
from benchmarks.gpu.summary import print_summary
from benchmarks.gpu.world import SIZES, World, world_in
from pytest_modelcompare.inference.device import choose_device, machine_in_words

PARTS = ("tests", "peak", "training", "techniques", "many", "serving")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure one part on a GPU; where there is none, on the CPU.")
    parser.add_argument("part", choices=[*PARTS, "summary"])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "results" / "gpu")
    parser.add_argument("--shapes", choices=list(SIZES), default="full")
    parser.add_argument("--data", type=Path, help="a folder with AG News; without it, texts are made up")
    parser.add_argument("--minilm", type=Path, help="MiniLM's weights and tokenizer; without it, random ones")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.part == "summary":
        print_summary(arguments.out, PARTS)
        return
    began = datetime.now(UTC)
    for found in measure(arguments):
        keep(arguments, began, found)


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What the part found so far, whenever there is more."""
    sizes = SIZES[arguments.shapes]
    if arguments.part == "tests":
        yield from run_tests(arguments.out / "pytest.log", tiny=sizes.tiny)
        return
    if arguments.part == "peak":
        yield measure_peak(sizes)
        return
    models = {
        "training": training.MODELS,
        "techniques": techniques.MODELS,
        "many": many.MODELS,
        "serving": serving.MODELS,
    }
    with tempfile.TemporaryDirectory() as name:
        world = world_in(Path(name), models[arguments.part], sizes, arguments.data, arguments.minilm)
        yield from measure_models(arguments, world)


def measure_models(arguments: argparse.Namespace, world: World) -> Iterator[dict[str, Any]]:
    about = {"rows": world.source, "train_rows": len(world.lengths), "tokens_per_row": float(world.lengths.mean())}
    if arguments.part == "serving":
        found = serving.compare_serving(world)
    else:
        way = {
            "training": training.compare_trainings,
            "techniques": techniques.compare_techniques,
            "many": many.compare_many,
        }
        found = way[arguments.part](world, peak_of(arguments.out))
    for one in found:
        yield {**about, **one}


def peak_of(folder: Path) -> float | None:
    """The device's measured TFLOP/s, if that part ran."""
    path = folder / "peak.json"
    return float(json.loads(path.read_text())["found"]["bf16_tflops"]) if path.exists() else None


def keep(arguments: argparse.Namespace, began: datetime, found: dict[str, Any]) -> None:
    """One file per part, written whole."""
    versions = {name: metadata.version(name) for name in ("torch", "transformers", "pytest-modelcompare")}
    device = choose_device("auto", "auto")
    text = {
        "part": arguments.part,
        "machine": machine_in_words(device.kind),
        "device": asdict(device),
        "began": began.isoformat(timespec="seconds"),
        "seconds": (datetime.now(UTC) - began).total_seconds(),
        "shapes": arguments.shapes,
        "weights": "MiniLM's own; the others random" if arguments.minilm else "random",
        "versions": versions,
        "found": found,
    }
    path = arguments.out / f"{arguments.part}.json"
    path.with_suffix(".new").write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".new").replace(path)


if __name__ == "__main__":
    main()
