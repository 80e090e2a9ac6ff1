"""Timings of a suite's local contestants, side by side in one session, on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_modelcompare.contestants.base import Predictor, Work
from pytest_modelcompare.contestants.registry import LOCAL
from pytest_modelcompare.errors import ModelError
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.obtaining import whole_first_run
from pytest_modelcompare.execution.timing_targets import Target, targets
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.store.timings import Timing, TimingStore


def time_contestants(comparison: Comparison, needs: Needs, watcher: Watcher) -> None:
    """Find the timings of these runs on this machine, or measure them.

    Measured anew when a gate is about speed or something was trained in this
    session; otherwise what was never timed here stays blank in the table.
    """
    from pytest_modelcompare.inference.timing_machine import threads, timing_machine

    options = comparison.options
    wanted = targets(comparison, needs)
    comparison.timings_at.update({(one.name, one.named): one.refused for one in wanted if one.named and one.refused})
    wanted = [one for one in wanted if not one.refused]
    if not wanted or options.smoke:
        return
    store, keys = TimingStore(comparison.folders), frozenset(one.key for one in wanted)
    machine = timing_machine([comparison.device_kind], threads())
    session = options.session if options.fresh else None
    found = store.find(keys, machine, session)
    made_here = any(run.session == options.session for one in wanted for run in comparison.runs[one.name])
    if found is None and (needs.timed or made_here):
        with comparison.store.lock("timing"):
            found = store.find(keys, machine, session)
            if found is None:
                found = measure(comparison, wanted, watcher)
                date = datetime.now(UTC).isoformat(timespec="microseconds")
                store.keep(found, machine=machine, session=options.session, date=date)
    if found is None:
        return
    for one in wanted:
        timing = found[one.key]
        if one.named is not None:
            comparison.timings_at[one.name, one.named] = timing
        elif isinstance(timing, Timing):
            comparison.timings[one.name] = timing


def measure(comparison: Comparison, wanted: list[Target], watcher: Watcher) -> dict[str, Timing | str]:
    """Load every model, time them in interleaved blocks; by key a timing, or why there is none."""
    from pytest_modelcompare.inference.device import limit_threads
    from pytest_modelcompare.inference.timing import measure_latencies, measure_throughput
    from pytest_modelcompare.inference.timing_machine import timing_machine

    assert comparison.dataset is not None
    texts = comparison.dataset.test.texts
    # a sweep's plain name and the member it stands for are one model, and so are a plain name and its own device
    by_key = {one.key: one for one in reversed(wanted)}
    machine = timing_machine({one.device for one in by_key.values()}, limit_threads())
    session = comparison.options.session
    names = dict.fromkeys(one.name for one in by_key.values())
    with watcher.job(f"time {', '.join(names)} side by side") as progress:
        predictors, own_texts, refused = loaded(comparison, by_key, watcher)
        latencies = measure_latencies(
            predictors, texts, session=session, machine=machine, progress=progress, own_texts=own_texts
        )
        plain = {key: predictor for key, predictor in predictors.items() if by_key[key].length is None}
        throughput = measure_throughput(plain, texts, session=session, machine=machine)
    timings: dict[str, Timing | str] = dict(refused)
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
    from pytest_modelcompare.inference.fixed_length import texts_of_length

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
