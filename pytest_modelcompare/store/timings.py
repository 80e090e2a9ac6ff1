"""Timings: what was measured side by side in one session on one machine, kept together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pytest_modelcompare.records import Latencies, Throughput
from pytest_modelcompare.store.folders import StoreFolders, store_errors


@dataclass(frozen=True, slots=True)
class Timing:
    """One contestant's speed, as measured beside the others of its session."""

    latencies: Latencies
    throughput: Throughput
    memory_mb: float
    """What its weights and work space take, in 2**20 bytes; NaN if unknown."""


@dataclass(frozen=True, slots=True)
class TimingStore:
    """Every measuring session under this store."""

    folders: StoreFolders

    def find(self, fingerprints: frozenset[str], machine: str, session: str | None = None) -> dict[str, Timing] | None:
        """The newest session on `machine` in which all these runs were timed together; None if there is none."""
        for path in sorted(self.folders.timings.glob("*.json"), reverse=True):
            facts = json.loads(path.read_text(encoding="utf-8"))
            same_session = session is None or facts["session"] == session
            if facts["machine"] == machine and same_session and fingerprints <= facts["runs"].keys():
                return {name: read_timing(facts, name) for name in fingerprints}
        return None

    def keep(self, timings: Mapping[str, Timing], *, machine: str, session: str, date: str) -> None:
        """Keep one session's timings, by the fingerprint of each run."""
        facts = {
            "machine": machine,
            "session": session,
            "date": date,
            "runs": {fingerprint: timing_facts(timing) for fingerprint, timing in timings.items()},
        }
        name = f"{date.replace(':', '')}-{session[:8]}.json"
        with store_errors(self.folders.timings), self.folders.scratch() as scratch:
            (scratch / name).write_text(json.dumps(facts), encoding="utf-8")
            (scratch / name).rename(self.folders.timings / name)


def timing_facts(timing: Timing) -> dict[str, object]:
    return {
        "milliseconds": [round(value, 5) for value in timing.latencies.milliseconds.tolist()],
        "blocks": timing.latencies.blocks.tolist(),
        "rows_per_s": timing.throughput.rows_per_s.tolist(),
        "tokens_per_row": timing.throughput.tokens_per_row,
        "batch_size": timing.throughput.batch_size,
        "memory_mb": timing.memory_mb,
    }


def read_timing(facts: Mapping[str, object], fingerprint: str) -> Timing:
    run = facts["runs"][fingerprint]  # type: ignore[index]
    machine, session, date = str(facts["machine"]), str(facts["session"]), str(facts["date"])
    latencies = Latencies(
        np.asarray(run["milliseconds"], float), np.asarray(run["blocks"], np.int64), machine, session, date
    )
    rows_per_s = np.asarray(run["rows_per_s"], float)
    throughput = Throughput(rows_per_s, run["tokens_per_row"], run["batch_size"], machine, session)
    return Timing(latencies, throughput, run["memory_mb"])
