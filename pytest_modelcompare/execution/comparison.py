"""One suite in one session: what was loaded, trained, asked and measured, and the verdicts read off it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.assemble import assemble
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.options import DEFAULT_CAP_USD, Options
from pytest_modelcompare.execution.sweep import Selection, with_members
from pytest_modelcompare.extras import NotInstalledError
from pytest_modelcompare.gates.needs import contestants_of, needs_of, places_of
from pytest_modelcompare.inference.device import device_kind
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.metrics.catalogue import Need
from pytest_modelcompare.records import Dataset, Evidence, Run
from pytest_modelcompare.records.accepted import AcceptedRecord
from pytest_modelcompare.store.accepted import read_accepted
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.judgements import Judgements, read_judgements
from pytest_modelcompare.store.runs import RunStore
from pytest_modelcompare.store.timings import Timing

if TYPE_CHECKING:
    from pytest_modelcompare.data.recorded_answers import RecordedAnswers
    from pytest_modelcompare.execution.stopping import Stopped
    from pytest_modelcompare.gates.spec import GateSpec
    from pytest_modelcompare.llm.answering import Answered
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
    set_aside: list[str] = field(default_factory=list)
    """Stored runs that were found damaged, in words."""

    """Found while running; those of the data stand with it."""

    selections: dict[str, Selection] = field(default_factory=dict)
    """A sweep's plain name → what it stands for."""

    judged: dict[str, str] = field(default_factory=dict)
    """What this process judged: gate → keys of the answers, joined by "+"."""

    accepted_now: list[AcceptedRecord] = field(default_factory=list)
    """What this process accepted."""

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

    @property
    def dataset_to_ask(self) -> Dataset | None:
        """What LLMs see: shots come from all training rows, so that a sweep beside them leaves stored answers good."""
        if self.dataset is None or self.dataset.all_train is None:
            return self.dataset
        return replace(self.dataset, train=self.dataset.all_train)

    def spec_of(self, name: str) -> ContestantSpec:
        """What a name stands for: of a sweep that has run, the member that was selected."""
        selection = self.selections.get(name)
        return self.suite.contestants[name if selection is None else selection.winner]

    def evidence(self) -> Mapping[str, Evidence]:
        """What is known about each contestant that was prepared."""
        for name, spec in self.suite.contestants.items():
            if name not in self._evidence and (found := assemble(self, spec)) is not None:
                self._evidence[name] = found
        return self._evidence

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
