"""Timings of a suite's local contestants, side by side in one session, on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.execution.accepting import baselines
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.obtaining import whole_first_run
from pytest_modelcompare.execution.stopping import names_of
from pytest_modelcompare.execution.timing_targets import Target, targets
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.extras import NotInstalledError, require
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.timing_looks import BY_LATENCY, BY_THROUGHPUT, gates_on, is_settled, measured_for
from pytest_modelcompare.methods.base import Predictor, Work
from pytest_modelcompare.methods.registry import LOCAL
from pytest_modelcompare.metrics.catalogue import Need
from pytest_modelcompare.records import Latencies, Throughput
from pytest_modelcompare.store.timings import Timing, TimingStore

Phase = Literal["latency", "throughput"]
PHASES: dict[Phase, frozenset[Need]] = {"latency": BY_LATENCY, "throughput": BY_THROUGHPUT}
"""With the needs of gates that each meets."""

Timings = dict[str, Timing | str]
"""By the key of what is timed: a timing, or why there is none."""


def time_contestants(comparison: Comparison, needs: Needs, watcher: Watcher) -> None:
    """Find the timings of these runs on this machine, or measure them.

    Measured anew when a gate is about speed or something was trained in this
    session; otherwise what was never timed here stays blank in the table.
    """
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
        libraries = LOCAL[spec.method].libraries_to_predict(spec.settings)
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
    return LOCAL[spec.method].load(run.folder, spec.settings, work)
