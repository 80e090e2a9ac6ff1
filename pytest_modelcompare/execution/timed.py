"""Timings of a suite's local contestants, side by side in one session, on this machine."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pytest_modelcompare.errors import ModelCompareError, ModelError
from pytest_modelcompare.execution.accepting import baselines
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.stopping import names_of
from pytest_modelcompare.extras import NotInstalledError, require
from pytest_modelcompare.gates.places import Place as GatePlace
from pytest_modelcompare.gates.places import place_of
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.timing_looks import BY_LATENCY, BY_THROUGHPUT, gates_on, is_settled, measured_for
from pytest_modelcompare.inference.device import cuda_name, cuda_of_torch, driver_suffices
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.local import LocalMethod, Predictor, Work, obtain, run_orders
from pytest_modelcompare.methods.registry import local_method_of, method_of
from pytest_modelcompare.metrics.catalogue import Need
from pytest_modelcompare.records import Latencies, Run, Throughput
from pytest_modelcompare.records.jobs import Context, Job, Kind, Place, Results
from pytest_modelcompare.records.progress import Watcher
from pytest_modelcompare.store.timings import Timing, TimingStore


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


Phase = Literal["latency", "throughput"]
PHASES: dict[Phase, frozenset[Need]] = {"latency": BY_LATENCY, "throughput": BY_THROUGHPUT}
"""With the needs of gates that each meets."""

Timings = dict[str, Timing | str]
"""By the key of what is timed: a timing, or why there is none."""


def timing_job(comparison: Comparison, needs: Needs) -> Job[None] | None:
    """Timings of what runs here, after all else; None where nothing does."""
    specs = [spec for spec in comparison.chosen(needs) if method_of(spec).traits.runs_here]
    if not specs or comparison.options.smoke:
        return None
    graph = comparison.graph
    runs = sorted({job.key for spec in specs for job in planned_results(comparison, spec.name)})
    places = sorted(needs.places)
    key = hashlib.sha256(repr((runs, places, needs.timed, needs.gates is None)).encode()).hexdigest()
    stored = all(graph.jobs[one].stored for one in runs if one in graph.jobs)
    return Job(
        f"time:{key}",
        f"time {', '.join(spec.name for spec in specs)}",
        Kind.TIME,
        Place.ALONE,
        partial(time_contestants, comparison, needs),
        stored=stored and not needs.timed,
    )


def planned_results(comparison: Comparison, name: str) -> tuple[Job[Any], ...]:
    planned = comparison.graph.contestants.get(name)
    return () if planned is None else planned.results


def time_contestants(comparison: Comparison, needs: Needs, context: Context, results: Results) -> None:  # noqa: ARG001
    """Find the timings of these runs on this machine, or measure them.

    Measured anew when a gate is about speed or something was trained in this
    session; otherwise what was never timed here stays blank in the table.
    """
    try:
        find_or_measure(comparison, needs, context.watcher)
    except ModelCompareError as error:
        for spec in comparison.chosen(needs):
            if method_of(spec).traits.runs_here:
                comparison.note_failure(spec.name, error)


def find_or_measure(comparison: Comparison, needs: Needs, watcher: Watcher) -> None:
    from pytest_modelcompare.inference.stopwatch import threads_to_predict, timing_machine

    options = comparison.options
    wanted = targets(comparison, needs)
    comparison.timings_at.update({(one.name, one.named): one.refused for one in wanted if one.named and one.refused})
    wanted = [one for one in wanted if not one.refused]
    if not wanted or options.smoke:
        return
    store, keys = TimingStore(comparison.folders), frozenset(one.key for one in wanted)
    machine = timing_machine([comparison.device_kind], threads_to_predict())
    session = options.session if options.fresh else None
    asked = asked_of(comparison, needs, wanted)

    def stored() -> Timings | None:
        return next((one for one in store.sessions(keys, machine, session) if asked.suffices(one)), None)

    found = stored()
    made_here = any(run.session == options.session for one in wanted for run in comparison.runs[one.name])
    if found is None and (needs.timed or made_here):
        wanted = [one for one in wanted if can_be_loaded(comparison, one)]
        if not wanted:
            return
        keys, asked = frozenset(one.key for one in wanted), asked_of(comparison, needs, wanted)
        with comparison.store.lock("timing"):
            found = stored()
            if found is None:
                found = measure(asked, watcher)
                date = datetime.now(UTC).isoformat(timespec="microseconds")
                store.keep(found, machine=machine, session=options.session, date=date)
    if found is not None:
        take(comparison, wanted, found)


def can_be_loaded(comparison: Comparison, one: Target) -> bool:
    """Whether its libraries are installed; where not, that is why it was not timed."""
    try:
        spec = comparison.spec_of(one.name)
        libraries = local_method(spec).libraries_to_predict(spec.settings)
        require("timing it", libraries, where=comparison.place_of(spec))
    except NotInstalledError as error:
        comparison.timings_at[one.name, one.named or ""] = str(error)
        return False
    return True


def take(comparison: Comparison, wanted: Sequence[Target], found: Mapping[str, Timing | str]) -> None:
    """Put timings where verdicts and reports find them."""
    for one in wanted:
        timing = found.get(one.key)
        if timing is None:
            continue
        if one.named is not None:
            comparison.timings_at[one.name, one.named] = timing
        elif isinstance(timing, Timing):
            comparison.timings[one.name] = timing


@dataclass(frozen=True, slots=True)
class Asked:
    """What gates ask of the timings of one suite."""

    comparison: Comparison
    wanted: Sequence[Target]
    keys: Mapping[Phase, frozenset[str]]
    """Of what is measured until the gates are decided; of the others a short look is taken."""

    gates: Mapping[Phase, tuple[GateSpec, ...]]
    """Those that may end a phase when all of them are decided; none: it is measured whole."""

    def measured(self, phase: Phase, found: Mapping[str, Timing | str]) -> list[Latencies | Throughput]:
        """What the gates of a phase rest on."""
        timings = [one for key in self.keys[phase] if isinstance(one := found.get(key), Timing)]
        if phase == "latency":
            return [one.latencies for one in timings]
        return [one.throughput for one in timings if one.throughput is not None]

    def enough(self, phase: Phase, so_far: Mapping[str, Timing | str]) -> bool:
        """Whether the gates of a phase are decided by what was measured so far."""
        comparison = self.comparison
        if not self.gates[phase]:
            return False
        take(comparison, self.wanted, so_far)
        comparison.forget_evidence()
        evidence, suite = comparison.evidence(), comparison.suite
        blocks = min((one.n_blocks for one in self.measured(phase, so_far)), default=0)
        return all(
            is_settled(
                spec,
                evidence,
                confidence=suite.confidence,
                min_coverage=suite.min_coverage,
                blocks=blocks,
                baselines=baselines(comparison, spec.claims, evidence, None),
            )
            for spec in self.gates[phase]
        )

    def suffices(self, found: Timings) -> bool:
        """Whether a stored session measured what is asked: one that ended when other gates were decided may not."""
        for phase in PHASES:
            extents = {one.extent for one in self.measured(phase, found)}
            if "look" in extents or ("until_decided" in extents and not self.enough(phase, found)):
                return False
        return True


def asked_of(comparison: Comparison, needs: Needs, wanted: Sequence[Target]) -> Asked:
    """What the gates ask for. Where they are not known, as in a Python test, all is asked for or nothing."""
    if needs.gates is None:
        everything = frozenset(one.key for one in wanted) if needs.timed else frozenset()
        return Asked(comparison, wanted, dict.fromkeys(PHASES, everything), dict.fromkeys(PHASES, ()))
    gates = [spec for spec in needs.gates if not names_of(spec) & comparison.failures.keys()]
    looked_at = [] if comparison.options.accept else gates  # what is accepted is worth the whole measurement
    keys: dict[Phase, frozenset[str]] = {}
    by_phase: dict[Phase, tuple[GateSpec, ...]] = {}
    for phase, its in PHASES.items():
        places = measured_for(gates, its)
        keys[phase] = frozenset(one.key for one in wanted if (one.name, one.named) in places)
        by_phase[phase] = tuple(gates_on(looked_at, its))
    return Asked(comparison, wanted, keys, by_phase)


def measure(asked: Asked, watcher: Watcher) -> Timings:
    """Load every model, time them in interleaved blocks; by key a timing, or why there is none."""
    from pytest_modelcompare.inference.stopwatch import (
        measure_latencies,
        measure_throughput,
        threads_in_use,
        timing_machine,
    )

    comparison = asked.comparison
    assert comparison.dataset is not None
    texts = comparison.dataset.test.texts
    # a sweep's plain name and the member it stands for are one model, and so are a plain name and its own device
    by_key = {one.key: one for one in reversed(asked.wanted)}
    session = comparison.options.session
    names = dict.fromkeys(one.name for one in by_key.values())

    def latencies_suffice(so_far: Mapping[str, Latencies]) -> bool:
        return asked.enough("latency", {key: Timing(one, None, np.nan) for key, one in so_far.items()})

    def rates_suffice(so_far: Mapping[str, Throughput]) -> bool:
        return asked.enough("throughput", {key: Timing(latencies[key], one, np.nan) for key, one in so_far.items()})

    with watcher.job(f"time {', '.join(names)} side by side") as progress:
        predictors, own_texts, refused = loaded(comparison, by_key, watcher)
        machine = timing_machine({one.device for one in by_key.values()}, threads_in_use())
        latencies = measure_latencies(
            predictors,
            texts,
            session=session,
            machine=machine,
            thorough=asked.keys["latency"],
            enough=latencies_suffice,
            progress=progress,
            own_texts=own_texts,
        )
        plain = {key: predictor for key, predictor in predictors.items() if by_key[key].length is None}
        throughput = measure_throughput(
            plain, texts, session=session, machine=machine, thorough=asked.keys["throughput"], enough=rates_suffice
        )
    timings: Timings = dict(refused)
    for key, predictor in predictors.items():
        on_device = replace(latencies[key], device=by_key[key].device)
        timings[key] = Timing(on_device, throughput.get(key), predictor.memory_mb())
    return timings


def loaded(
    comparison: Comparison, by_key: Mapping[str, Target], watcher: Watcher
) -> tuple[dict[str, Predictor], dict[str, list[str]], dict[str, str]]:
    """Models ready to predict, each device's once; the texts of those at a fixed length; why others cannot be had.

    Raises:
        ModelError: a model cannot be loaded on the session's own device.
    """
    from pytest_modelcompare.inference.stopwatch import texts_of_length

    assert comparison.dataset is not None
    models: dict[tuple[str, str], Predictor] = {}
    predictors, own_texts, refused = {}, {}, {}
    for key, one in by_key.items():
        try:
            model = models.get((one.name, one.device)) or load(comparison, one, watcher)
            if one.length is not None:
                own_texts[key] = texts_of_length(model, comparison.dataset.test.texts, one.length)
        except ModelError as error:
            if one.named is None:
                raise
            refused[key] = error.what
            continue
        predictors[key] = models[one.name, one.device] = model
    return predictors, own_texts, refused


def load(comparison: Comparison, one: Target, watcher: Watcher) -> Predictor:
    """The first seed's model on its device."""
    spec, run = comparison.spec_of(one.name), whole_first_run(comparison, one.name, watcher)
    assert comparison.dataset is not None
    work = Work(comparison.dataset, run.seed, one.device, Path(run.folder), comparison.base)
    return local_method(spec).load(run.folder, spec.settings, work)


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
    place = GatePlace() if named is None else place_of(named)
    there = local_method(spec).devices(spec.settings)
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


def local_method(spec: ContestantSpec) -> LocalMethod:
    method = local_method_of(spec)
    assert method is not None
    return method


def whole_first_run(comparison: Comparison, name: str, watcher: Watcher) -> Run:
    """The run of a contestant's first seed, before its model is loaded."""
    runs = comparison.runs[name]
    if not comparison.store.is_whole(runs[0]):
        spec = comparison.spec_of(name)
        assert comparison.dataset is not None
        orders = run_orders(spec, local_method(spec), comparison.dataset, comparison.base)
        order = next(one for one in orders if one.fingerprint == runs[0].fingerprint)
        obtained = obtain(order, comparison.context(watcher), comparison.results)
        comparison.note_run(obtained, served=order.training is not None)
        comparison.runs[name] = [obtained.run, *runs[1:]]
    return comparison.runs[name][0]
