"""One suite in one session: what was loaded, trained, asked and measured, and the verdicts read off it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_modelcompare.data.made_up import source_unreachable
from pytest_modelcompare.data.recorded_answers import RecordedAnswers
from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.errors import BudgetError, ModelCompareError
from pytest_modelcompare.execution.graph import Graph
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.sweep import Selection, with_members
from pytest_modelcompare.extras import NotInstalledError
from pytest_modelcompare.gates.needs import contestants_of, needs_of, places_of
from pytest_modelcompare.inference.device import device_kind
from pytest_modelcompare.llm.answers import Answered
from pytest_modelcompare.methods.base import ContestantSpec, Known
from pytest_modelcompare.methods.local import Obtained
from pytest_modelcompare.methods.registry import method_of
from pytest_modelcompare.metrics.catalogue import Need
from pytest_modelcompare.records import Dataset, Evidence, Run
from pytest_modelcompare.records.accepted import AcceptedRecord
from pytest_modelcompare.records.jobs import Context, Job, Kind, Place
from pytest_modelcompare.records.options import DEFAULT_CAP_USD, Options
from pytest_modelcompare.records.progress import Watcher
from pytest_modelcompare.store.accepted import read_accepted
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.judgements import Judgements, read_judgements
from pytest_modelcompare.store.runs import RunStore
from pytest_modelcompare.store.timings import Timing

if TYPE_CHECKING:
    from pytest_modelcompare.gates.spec import GateSpec
    from pytest_modelcompare.gates.stopping_looks import Stopped
    from pytest_modelcompare.suite.model import Suite

TIMED = frozenset({Need.LATENCY, Need.THROUGHPUT, Need.COST, Need.BREAK_EVEN})
"""Needs that a local contestant meets only by being timed on this machine."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a set of gates needs of a suite."""

    contestants: frozenset[str]
    timed: bool
    """Whether a gate is about speed or about a cost that follows from it."""

    named: frozenset[str] = frozenset()
    """Those that gates name; the rest are members of sweeps that are named."""

    places: frozenset[tuple[str, str]] = frozenset()
    """Contestants with the device or length that a gate names for them in parentheses."""

    gates: tuple[GateSpec, ...] | None = None
    """The gates themselves; None: not known, as in a Python test, which may gate on anything."""


@dataclass(slots=True)
class Comparison:
    """Filled by `prepare`, read by verdicts and reports."""

    suite: Suite
    options: Options
    ledger: Ledger
    dataset: Dataset | None = None
    data_error: ModelCompareError | None = None
    graph: Graph = field(default_factory=Graph)
    """Every job that was planned."""

    results: dict[str, Any] = field(default_factory=dict)
    """What jobs gave, by key."""

    errors: dict[str, ModelCompareError] = field(default_factory=dict)
    """What jobs failed with, by key."""

    planned_s: float = 0.0
    """How long planning took."""

    began: float | None = None
    """When the first training began, by `time.monotonic`."""

    runs: dict[str, list[Run]] = field(default_factory=dict)
    answered: dict[str, Answered] = field(default_factory=dict)
    stopped: dict[str, Stopped] = field(default_factory=dict)
    """LLMs whose gates were looked at while they were asked."""

    recorded: dict[str, RecordedAnswers] = field(default_factory=dict)
    timings: dict[str, Timing] = field(default_factory=dict)
    timings_at: dict[tuple[str, str], Timing | str] = field(default_factory=dict)
    """Contestant and what a gate names in parentheses → its timing there, or why there is none."""

    failures: dict[str, ModelCompareError] = field(default_factory=dict)
    asked_usd: float = 0.0
    reference: Run | None = None
    """TF-IDF, where the suite has no such contestant of its own."""

    warnings: list[str] = field(default_factory=list)
    """Found while running; those of the data stand with it."""

    set_aside: list[str] = field(default_factory=list)
    """Stored runs that were found damaged, in words."""

    selections: dict[str, Selection] = field(default_factory=dict)
    """A sweep's plain name → what it stands for."""

    judged: dict[str, str] = field(default_factory=dict)
    """What this process judged: gate → keys of the answers, joined by "+"."""

    accepted_now: list[AcceptedRecord] = field(default_factory=list)
    """What this process accepted."""

    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _evidence: dict[str, Evidence] = field(default_factory=dict)
    _accepted: AcceptedRecord | None = None
    _judgements: Judgements | None = None

    def place_of(self, spec: ContestantSpec) -> str:
        """`file:line:column` of a contestant."""
        return f"{self.suite.path}:{spec.line}:{spec.column}" if spec.line else f"contestant `{spec.name}`"

    def note_failure(self, name: str, error: ModelCompareError) -> None:
        """Why a contestant has no results, the first reason alone; a library is missing at its line of the suite."""
        if isinstance(error, NotInstalledError) and error.where is None:
            spec = self.suite.contestants[name]
            error = NotInstalledError(error.what, where=self.place_of(spec), fix=error.fix)
        self.failures.setdefault(name, error)

    @property
    def folders(self) -> StoreFolders:
        return StoreFolders(self.options.store)

    @property
    def store(self) -> RunStore:
        return RunStore(self.folders, self.set_aside)

    @property
    def base(self) -> Path:
        """Where the suite's relative paths start."""
        return self.suite.path.parent

    @property
    def device_kind(self) -> str:
        """The device that models predict on in this session."""
        return device_kind(self.options.device)

    @property
    def cap_usd(self) -> float:
        """What this suite may spend on LLMs, where the session has no cap of its own."""
        budget = self.suite.budget
        return DEFAULT_CAP_USD if budget is None or budget.usd is None else float(budget.usd)

    def needs(self, specs: Iterable[GateSpec]) -> Needs:
        """What these gates need: contestants in suite order, and whether speed matters."""
        gates = tuple(specs)
        claims = [claim for spec in gates for claim in spec.claims]
        named = frozenset(name for claim in claims for name in contestants_of(claim))
        kinds = {need for claim in claims for needs in needs_of(claim).values() for need in needs}
        places = frozenset(place for claim in claims for place in places_of(claim))
        return Needs(
            with_members(named, self.suite.contestants), bool(kinds & TIMED) or bool(places), named, places, gates
        )

    def everything(self) -> Needs:
        specs = self.suite.contestants
        return Needs(frozenset(specs), False, frozenset(name for name in specs if specs[name].member_of is None))

    def chosen(self, needs: Needs) -> list[ContestantSpec]:
        return [spec for name, spec in self.suite.contestants.items() if name in needs.contestants]

    def spec_of(self, name: str) -> ContestantSpec:
        """What a name stands for: of a sweep that has run, the member that was selected."""
        selection = self.selections.get(name)
        return self.suite.contestants[name if selection is None else selection.winner]

    def evidence(self) -> Mapping[str, Evidence]:
        """What is known about each contestant that was prepared."""
        with self._lock:
            for name, spec in self.suite.contestants.items() if self.dataset is not None else ():
                if name not in self._evidence and (found := self.evidence_of(spec)) is not None:
                    self._evidence[name] = found
            return dict(self._evidence)

    def evidence_of(self, spec: ContestantSpec) -> Evidence | None:
        """What the results of a contestant's jobs show; None where it has none yet."""
        made: Sequence[Any]
        if spec.name in self.runs:
            made = [Obtained(run) for run in self.runs[spec.name]]
        else:
            planned = self.graph.contestants.get(spec.name)
            jobs = () if planned is None else planned.results
            if not all(job.key in self.results for job in jobs):
                return None
            made = [self.results[job.key] for job in jobs]
            if not made and method_of(spec).traits.has_rows:
                return None
        return method_of(spec).evidence(spec, made, self.known(spec.name))

    def known(self, name: str) -> Known:
        """What a contestant's evidence is made of beside its own results."""
        assert self.dataset is not None
        members = self.suite.contestants[name].members
        return Known(
            self.dataset,
            self.device_kind,
            self.suite.prices,
            self.suite.compute,
            self.timings.get(name),
            {place: found for (contestant, place), found in self.timings_at.items() if contestant == name},
            [run for member in members for run in self.runs.get(member, [])],
        )

    def context(self, watcher: Watcher) -> Context:
        return Context(self.options, watcher, set_aside=self.set_aside)

    def is_wanted(self, job: Job[Any]) -> bool:
        """Not what only contestants need that have failed."""
        users = self.graph.users_of(job.key)
        return not users or any(name not in self.failures for name in users)

    def refuse_to_begin(self, job: Job[Any]) -> None:
        """The suite's `budget: {minutes: …}` holds for beginning trainings."""
        if job.place is not Place.DEVICE or job.stored:
            return
        self.began = time.monotonic() if self.began is None else self.began
        budget, used = self.suite.budget, time.monotonic() - self.began + self.planned_s
        if budget is not None and budget.minutes is not None and used > 60 * budget.minutes:
            raise BudgetError(
                f"the suite's {budget.minutes:g} minutes are used up; what was finished is stored",
                where=str(self.suite.path),
                fix="run again to go on from there, or raise `budget: {minutes: …}`",
            )

    def job_done(self, job: Job[Any], result: Any) -> None:
        """Take a result; a contestant all of whose results are there has evidence."""
        with self._lock:  # looks at an LLM's gates read what a training beside it adds to
            self.take_result(job, result)

    def take_result(self, job: Job[Any], result: Any) -> None:
        self.results[job.key] = result
        if job.kind is Kind.REFERENCE:
            self.reference = result.run
        if job.kind is Kind.SMOKE:
            self.warn(*result)
            return
        if isinstance(result, Obtained):
            self.note_run(result, served=job.kind is Kind.SERVE)
        for name in self.graph.users_of(job.key):
            keys = [one.key for one in self.graph.contestants[name].results]
            if job.key in keys and all(key in self.results for key in keys):
                self.take(name, [self.results[key] for key in keys])

    def note_run(self, obtained: Obtained, *, served: bool) -> None:
        """Count it; what another process made, that one counts, and exports are no trainings."""
        exported = obtained.is_made and served
        if not exported and (obtained.is_made or obtained.run.session != self.options.session):
            self.ledger.note_run(stored=not obtained.is_made)

    def take(self, name: str, found: Sequence[Any]) -> None:
        """Put a contestant's results where reports find them."""
        self._evidence.pop(name, None)
        first = found[0]
        if isinstance(first, Obtained):
            self.runs[name] = [one.run for one in found]
        elif isinstance(first, Selection):
            self.selections[name] = first
            self.runs[name] = self.runs[first.winner]
        elif isinstance(first, Answered):
            self.answered[name] = first
            self.ledger.note_answers(usd=0.0, calls=0, stored=first.stored)
        elif isinstance(first, RecordedAnswers):
            self.recorded[name] = first

    def stands_aside(self, error: ModelCompareError) -> bool:
        """Whether a smoke run goes on without recorded answers that lie on a network that does not answer."""
        if not self.options.smoke or not source_unreachable(error):
            return False
        self.warn(f"{error.where} {error.what}; it was not read")
        return True

    def warn(self, *texts: str) -> None:
        self.warnings += [text for text in texts if text not in self.warnings]

    def job_failed(self, job: Job[Any], error: ModelCompareError) -> None:
        """What fails concerns the contestants that it is for; the rest goes on."""
        if self.stands_aside(error):
            return
        self.errors[job.key] = error
        if job.kind is Kind.REFERENCE:
            self.warn(f"no TF-IDF reference line: {error.what}")
        for name in self.graph.users_of(job.key):
            self.note_failure(name, error)

    @property
    def accepted_path(self) -> Path:
        """`NAME.accepted.json` beside `NAME.modelcompare.yaml`."""
        return self.suite.path.with_name(f"{self.suite.path.name.split('.')[0]}.accepted.json")

    @property
    def accepted(self) -> AcceptedRecord:
        """What was accepted before this session.

        Raises:
            StoreError: the file is no record.
        """
        if self._accepted is None:
            self._accepted = read_accepted(self.accepted_path)
        return self._accepted

    @property
    def judgements(self) -> Judgements:
        """What earlier sessions judged on these test rows."""
        if self._judgements is None:
            assert self.dataset is not None
            self._judgements = read_judgements(self.folders, test_rows_digest(self.dataset))
        return self._judgements

    def forget_evidence(self) -> None:
        """After more was measured."""
        self._evidence.clear()
