"""What is measured compares only where both sides were measured alike."""

from __future__ import annotations

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.records import Evidence

MEMORY = ("train_memory_mb", "inference_memory_mb")
MEASURED_ONCE = ("train_seconds", "train_cost", *MEMORY)
OF_TRAINING = ("train_seconds", "train_cost", "break_even")

AGAIN = "run with --modelcompare-fresh, which measures them side by side"


def require_one_place(question: Question, sides: list[Evidence]) -> None:
    """Times and memory compare only within one machine and session; an LLM's latency is its service's.

    Raises:
        GateError: the two sides were measured in different places, or one of them beside other work.
    """
    for metric, side in zip(question.metrics, sides, strict=True):
        if metric.name in OF_TRAINING and side.shared_device:
            fix = "run this gate with --modelcompare-fresh: each training then has the device to itself"
            raise GateError(f"{side.name} was trained beside others, which takes longer than alone", fix=fix)
    local = [
        (metric, side)
        for metric, side in zip(question.metrics, sides, strict=True)
        if side.method not in ("prompt", "predictions", "published")
    ]
    if len({side.name for _, side in local}) < 2:
        return
    names = " and ".join(dict.fromkeys(side.name for _, side in local))
    timed = [side.latencies for metric, side in local if is_timed(metric.name, metric.argument) and side.latencies]
    if len({(one.machine, one.session) for one in timed}) > 1:
        raise GateError(f"{names} were timed in different sessions or on different machines", fix=AGAIN)
    trained = [side for metric, side in local if metric.name in MEASURED_ONCE and metric.argument is None]
    places = {place for side in trained for place in side.trained_on}
    kinds = {kind for kind, _ in places}
    if len(kinds) < len(places):  # of one kind of device, two machines
        raise GateError(f"{names} were trained on different machines", fix=AGAIN)
    if len(kinds) > 1 and any(metric.name in MEMORY for metric, _ in local):
        fix = "compare them on one device, e.g. inference_memory_mb(cpu), or train both with --modelcompare-device"
        raise GateError(f"{names} were trained on different devices, whose memory is not measured alike", fix=fix)


def is_timed(name: str, argument: str | None) -> bool:
    """Whether a figure comes from the timing of this machine."""
    return METRICS[name].needs is Need.LATENCY or (name in MEMORY and argument is not None)
