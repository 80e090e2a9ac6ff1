"""What a session's report is made of, gathered from this process or from xdist's workers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.errors import StoreError
from pytest_modelcompare.execution.history import History, keep_answers, last_report_path, note
from pytest_modelcompare.execution.summary import suite_report
from pytest_modelcompare.records.report import GateReport, SessionReport, Spend, SuiteReport, suite_from_json
from pytest_modelcompare.statistics.multiplicity import holm
from pytest_modelcompare.store.accepted import decoded, encoded, merged, read_accepted, write_accepted
from pytest_modelcompare.store.folders import StoreFolders, store_errors
from pytest_modelcompare.store.history import suite_key
from pytest_modelcompare.store.judgements import note_judgements
from pytest_modelcompare.store.spending import SpendingLog

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison
    from pytest_modelcompare.pytest_plugin.session import Comparisons
    from pytest_modelcompare.records.options import Options


@dataclass(slots=True)
class Collected:
    """Gates by suite path and line, suites by path, and what was spent."""

    paths: list[Path]
    """Where reports are to be written."""

    gates: dict[str, list[GateReport]] = field(default_factory=dict)
    suites: dict[str, SuiteReport] = field(default_factory=dict)
    spend: Spend = field(default_factory=Spend)
    written: list[Path] = field(default_factory=list)
    accepted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What was accepted, by the record's path, as the record encodes it."""

    histories: dict[str, History] = field(default_factory=dict)
    """By suite path, once this session has been noted."""

    workers_session: str | None = None
    """The name of the session in xdist's workers; None without them."""

    processes: set[int] = field(default_factory=lambda: {os.getpid()})
    """Whose findings these are."""

    not_kept: list[str] = field(default_factory=list)
    """Why something could not be kept for later sessions."""

    def note_gate(self, suite: str, gate: dict[str, Any]) -> None:
        """Take down a gate's verdict under its suite's path."""
        self.gates.setdefault(suite, []).append(GateReport(**gate))

    def note_suites(self, comparisons: Comparisons) -> None:
        """Take down the table of every suite that ran in this process."""
        for comparison in comparisons.suites.values():
            if comparison.dataset is not None or comparison.data_error is not None:
                report = suite_report(comparison)
                self.suites[report.path] = report
            self.note_accepted(str(comparison.accepted_path), [encoded(one) for one in comparison.accepted_now])
            with self.remembering():
                note_judged(comparison)
                keep_answers(comparison)
        self.add_spend(asdict(comparisons.ledger.spend))

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """What cannot be kept for later sessions is said, and changes nothing of this one."""
        try:
            yield
        except StoreError as error:
            self.not_kept.append(str(error))

    def note_accepted(self, path: str, records: list[dict[str, Any]]) -> None:
        if records:
            self.accepted.setdefault(path, []).extend(records)

    def write_accepted(self) -> list[Path]:
        """Put what was accepted into the records beside the suites.

        Raises:
            StoreError: a record is broken or cannot be written.
        """
        for path, records in self.accepted.items():
            whole = merged(read_accepted(Path(path)), [decoded(one) for one in records])
            write_accepted(Path(path), whole)
        return [Path(path) for path in self.accepted]

    def as_worker_output(self) -> dict[str, Any]:
        """What an xdist worker sends: JSON types only."""
        return {
            "suites": [asdict(suite) for suite in self.suites.values()],
            "spend": asdict(self.spend),
            "accepted": self.accepted,
            "not_kept": self.not_kept,
            "process": os.getpid(),
        }

    def take_over(self, output: dict[str, Any]) -> None:
        """What a worker sent; of two tables of one suite the fuller one counts."""
        for data in output["suites"]:
            suite = suite_from_json(data)
            known = self.suites.get(suite.path)
            if known is None or len(suite.contestants) > len(known.contestants):
                self.suites[suite.path] = suite
        for path, records in output["accepted"].items():
            self.note_accepted(path, records)
        self.not_kept += output["not_kept"]
        self.processes.add(output["process"])
        self.add_spend(output["spend"])

    def add_lost(self, options: Options) -> None:
        """What workers spent that were killed before they could say so."""
        if self.workers_session is None:
            return
        log = SpendingLog(StoreFolders(options.store), self.workers_session)
        usd, calls = log.of_lost(self.processes)
        self.spend.usd += usd
        self.spend.calls += calls

    def add_spend(self, spend: dict[str, Any]) -> None:
        for name, value in spend.items():
            known = getattr(self.spend, name)
            # every worker of a session replays the same stored runs and answers; what is new is made by one of them
            setattr(self.spend, name, max(known, value) if name.startswith("stored") else known + value)

    def report(self) -> SessionReport | None:
        """The session as plain data; None when no suite ran."""
        if not self.suites:
            return None
        suites = [
            replace(suite, gates=self.gates_of(suite), history=self.histories.get(suite.path, {}))
            for suite in self.suites.values()
        ]
        machine = machine_facts()
        return SessionReport(datetime.now(UTC).isoformat(timespec="seconds"), machine, self.spend, suites)

    def gates_of(self, suite: SuiteReport) -> list[GateReport]:
        """A suite's gates in the order of its file."""
        found = self.gates.get(suite.path, [])
        return with_holm(sorted(found, key=lambda gate: gate.line))

    def note_history(self, options: Options) -> None:
        """Leave what this session found for later ones."""
        if (report := self.report()) is None or options.smoke:
            return
        from pytest_modelcompare.reports.json_report import write_json

        with self.remembering():
            self.histories = note(report, options.store, options.session)
            for suite in [suite for suite in report.suites if suite.path in self.histories]:
                whole = replace(report, suites=[replace(suite, history=self.histories[suite.path])])
                path = last_report_path(options.store, suite_key(Path(suite.path), options.store))
                with store_errors(path):
                    write_json(whole, path)

    def write_reports(self) -> None:
        """Write every report that was asked for.

        Raises:
            StoreError: a path cannot be written.
        """
        report = self.report()
        if report is None:
            return
        from pytest_modelcompare.reports.formats import write_report

        for path in self.paths:
            try:
                write_report(report, path)
            except OSError as error:
                raise StoreError(f"the report cannot be written: {error.strerror}", where=str(path)) from error
            self.written.append(path)

    def github_lines(self, environment: Mapping[str, str]) -> list[str]:
        """Inside GitHub Actions: append to the step's summary; annotations, which are lines of the output."""
        report = self.report()
        if report is None or not environment.keys() & {"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"}:
            return []
        from pytest_modelcompare.reports.github import annotation_lines, append_step_summary

        lines = annotation_lines(report, environment)
        try:
            append_step_summary(report, environment)
        except OSError as error:
            lines.append(f"modelcompare: the step's summary cannot be written: {error.strerror}")
        return lines


def with_holm(gates: list[GateReport]) -> list[GateReport]:
    """p-values of a suite's tested gates, adjusted for their number."""
    tested = [gate.p_pass for gate in gates if gate.p_pass is not None]
    adjusted = iter(holm(tested))
    return [gate if gate.p_pass is None else replace(gate, p_holm=next(adjusted)) for gate in gates]


def note_judged(comparison: Comparison) -> None:
    """Keep count of what these test rows were judged for."""
    if comparison.judged and comparison.dataset is not None:
        rows = test_rows_digest(comparison.dataset)
        note_judgements(comparison.folders, rows, comparison.options.session, comparison.judged)


def machine_facts() -> dict[str, Any]:
    """Where this session ran."""
    import os
    import platform

    from pytest_modelcompare.inference.device import machine_in_words

    return {
        "name": machine_in_words("cpu"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }
