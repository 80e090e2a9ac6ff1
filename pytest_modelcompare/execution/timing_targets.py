"""What is timed: contestants, each on a device and on texts of a length."""

from __future__ import annotations

import platform
from dataclasses import dataclass

from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.gates.places import Place, place_of
from pytest_modelcompare.inference.device import cuda_name, cuda_of_torch, driver_suffices
from pytest_modelcompare.methods.registry import LOCAL


@dataclass(frozen=True, slots=True)
class Target:
    """What is timed: a contestant on a device, on texts of a length."""

    name: str
    named: str | None
    """As a gate names the place in parentheses; None: the session's own device, the test rows as they are."""

    device: str
    length: int | None
    key: str
    """The run that is timed, the first seed's as it was made (a fresh one is another), and the place."""

    refused: str = ""
    """Why it cannot be timed there."""


def targets(comparison: Comparison, needs: Needs) -> list[Target]:
    """Every contestant that ran, as it is, and where gates name a place for it also there.

    Of a sweep, the selected member alone is timed, and members that gates name.
    """
    names = [
        spec.name
        for spec in comparison.chosen(needs)
        if comparison.runs.get(spec.name) and (spec.member_of is None or spec.name in needs.named)
    ]
    places: list[tuple[str, str | None]] = [(name, None) for name in names]
    places += [place for place in sorted(needs.places) if place[0] in names]
    return [target(comparison, name, named) for name, named in places]


def target(comparison: Comparison, name: str, named: str | None) -> Target:
    """A contestant where it is to be timed, or why it cannot be."""
    spec, run = comparison.spec_of(name), comparison.runs[name][0]
    place = Place() if named is None else place_of(named)
    there = LOCAL[spec.method].devices(spec.settings)
    usual = comparison.device_kind if comparison.device_kind in there else there[0]
    device = place.device or usual
    refused = "" if device in there else f"it runs on {' and '.join(there)} alone"
    if place.device is not None and not refused:
        refused = missing(device)
    key = f"{run.fingerprint}/{run.created}"
    key += f" on {device}" if device != usual else ""
    key += f" at {place.length}" if place.length else ""
    return Target(name, named, device, place.length, key, refused)


def missing(device: str) -> str:
    """Says that this machine has no such device, or that torch cannot use it; empty where it can. No torch import."""
    if device == "cuda" and cuda_name() is None:
        return "this machine has no cuda device"
    if device == "cuda" and cuda_of_torch() is None:
        return "torch is not built for cuda here"
    if device == "cuda" and not driver_suffices():
        return "the NVIDIA driver is older than the CUDA that torch was built for"
    if device == "mps" and (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return "this machine has no mps device"
    return ""
