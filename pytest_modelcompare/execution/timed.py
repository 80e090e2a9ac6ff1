"""Timings of a suite's local contestants, side by side in one session, on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pytest_modelcompare.contestants.base import Predictor, Work
from pytest_modelcompare.contestants.registry import LOCAL
from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.inference.device import device_kind, machine_in_words
from pytest_modelcompare.store.timings import Timing, TimingStore


def time_contestants(comparison: Comparison, needs: Needs, watcher: Watcher) -> None:
    """Find the timings of these runs on this machine, or measure them.

    Measured anew when a gate is about speed or something was trained in this
    session; otherwise what was never timed here stays blank in the table.
    """
    options = comparison.options
    names = [spec.name for spec in comparison.chosen(needs) if comparison.runs.get(spec.name)]
    if not names or options.smoke:
        return
    store = TimingStore(comparison.folders)
    fingerprints = {name: timing_key(comparison, name) for name in names}
    machine = machine_in_words(device_kind(options.device))
    session = options.session if options.fresh else None
    found = store.find(frozenset(fingerprints.values()), machine, session)
    made_here = any(run.session == options.session for name in names for run in comparison.runs[name])
    if found is None and (needs.timed or made_here):
        with comparison.store.lock("timing"):
            found = store.find(frozenset(fingerprints.values()), machine, session)
            if found is None:
                found = measure(comparison, fingerprints, machine, watcher)
    if found is not None:
        comparison.timings.update({name: found[fingerprint] for name, fingerprint in fingerprints.items()})


def timing_key(comparison: Comparison, name: str) -> str:
    """The run that is timed: the first seed's, as it was made (a fresh one is another)."""
    run = comparison.runs[name][0]
    return f"{run.fingerprint}/{run.created}"


def measure(
    comparison: Comparison, fingerprints: Mapping[str, str], machine: str, watcher: Watcher
) -> dict[str, Timing]:
    """Load every model, time them in interleaved blocks, keep the result."""
    from pytest_modelcompare.inference.timing import measure_latencies, measure_throughput

    assert comparison.dataset is not None
    session = comparison.options.session
    texts = comparison.dataset.test.texts
    with watcher.job(f"time {', '.join(fingerprints)} side by side") as progress:
        predictors = {name: loaded(comparison, name) for name in fingerprints}
        latencies = measure_latencies(predictors, texts, session=session, machine=machine, progress=progress)
        throughput = measure_throughput(predictors, texts, session=session, machine=machine)
        timings = {
            fingerprint: Timing(latencies[name], throughput[name], predictors[name].memory_mb())
            for name, fingerprint in fingerprints.items()
        }
    date = datetime.now(UTC).isoformat(timespec="microseconds")
    TimingStore(comparison.folders).keep(timings, machine=machine, session=session, date=date)
    return timings


def loaded(comparison: Comparison, name: str) -> Predictor:
    """The first seed's model, ready to predict."""
    spec = comparison.suite.contestants[name]
    run = comparison.runs[name][0]
    assert comparison.dataset is not None
    work = Work(comparison.dataset, run.seed, comparison.options.device, Path(run.folder), comparison.base)
    return LOCAL[spec.method].load(run.folder, spec.settings, work)
