"""Timings: what was measured side by side in one session on one machine, kept together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pytest_modelcompare.records import Latencies, Throughput
from pytest_modelcompare.store.folders import StoreFolders, store_errors

FORMAT = 2
"""Timings in another one are measured again."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One contestant's speed, as measured beside the others of its session."""

    latencies: Latencies
    throughput: Throughput | None
    """None where it was timed at a fixed length."""

    memory_mb: float
    """What its weights and work space take, in 2**20 bytes; NaN if unknown."""


@dataclass(frozen=True, slots=True)
class TimingStore:
    """Every measuring session under this store."""

    folders: StoreFolders

    def sessions(
        self, fingerprints: frozenset[str], machine: str, session: str | None = None
    ) -> Iterator[dict[str, Timing | str]]:
        """Every session on `machine` in which all these runs were timed together, the newest first.

        Instead of a timing the reason stands where one could not be had.
        """
        for path in sorted(self.folders.timings.glob("*.json"), reverse=True):
            facts = json.loads(path.read_text(encoding="utf-8"))
            if facts.get("format") != FORMAT:
                continue
            same_session = session is None or facts["session"] == session
            refused = facts.get("refused", {})
            if facts["machine"] == machine and same_session and fingerprints <= {*facts["runs"], *refused}:
                yield {name: refused.get(name) or read_timing(facts, name) for name in fingerprints}

    def keep(self, timings: Mapping[str, Timing | str], *, machine: str, session: str, date: str) -> None:
        """Keep one session's timings, by the fingerprint of each run.

        Args:
            machine: that they are found by; what they were measured on, threads included, stands in each.
        """
        facts = {
            "format": FORMAT,
            "machine": machine,
            "session": session,
            "date": date,
            "runs": {key: timing_facts(timing) for key, timing in timings.items() if isinstance(timing, Timing)},
            "refused": {key: reason for key, reason in timings.items() if isinstance(reason, str)},
        }
        name = f"{date.replace(':', '')}-{session[:8]}.json"
        with store_errors(self.folders.timings), self.folders.scratch() as scratch:
            (scratch / name).write_text(json.dumps(facts), encoding="utf-8")
            (scratch / name).rename(self.folders.timings / name)


def timing_facts(timing: Timing) -> dict[str, object]:
    return {
        "milliseconds": [round(value, 5) for value in timing.latencies.milliseconds.tolist()],
        "blocks": timing.latencies.blocks.tolist(),
        "machine": timing.latencies.machine,
        "device": timing.latencies.device,
        "extent": timing.latencies.extent,
        "throughput": None
        if timing.throughput is None
        else {
            "rows_per_s": timing.throughput.rows_per_s.tolist(),
            "tokens_per_row": timing.throughput.tokens_per_row,
            "batch_size": timing.throughput.batch_size,
            "extent": timing.throughput.extent,
        },
        "memory_mb": timing.memory_mb,
    }


def read_timing(facts: Mapping[str, object], fingerprint: str) -> Timing:
    run = facts["runs"][fingerprint]  # type: ignore[index]
    machine, session, date = str(run["machine"]), str(facts["session"]), str(facts["date"])
    milliseconds, blocks = np.asarray(run["milliseconds"], float), np.asarray(run["blocks"], np.int64)
    extent = run.get("extent", "whole")
    latencies = Latencies(milliseconds, blocks, machine, session, date, run["device"], extent)
    throughput = None
    if speed := run["throughput"]:
        rows_per_s = np.asarray(speed["rows_per_s"], float)
        extent = speed.get("extent", "whole")
        throughput = Throughput(rows_per_s, speed["tokens_per_row"], speed["batch_size"], machine, session, extent)
    return Timing(latencies, throughput, run["memory_mb"])
