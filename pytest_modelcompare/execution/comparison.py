"""One suite in one session: what was loaded, trained, asked and measured, and the verdicts read off it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_modelcompare.contestants.base import ContestantSpec
from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.assemble import assemble
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.options import DEFAULT_CAP_USD, Options
from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.needs import contestants_of, needs_of
from pytest_modelcompare.inference.device import device_kind
from pytest_modelcompare.metrics.catalogue import Need
from pytest_modelcompare.records import Dataset, Evidence, Outcomes, Run, Verdict
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.store.runs import RunStore
from pytest_modelcompare.store.timings import Timing

if TYPE_CHECKING:
    from pytest_modelcompare.contestants.answering import Answered
    from pytest_modelcompare.data.recorded import RecordedAnswers
    from pytest_modelcompare.gates.spec import GateSpec
    from pytest_modelcompare.suite.model import Suite

TIMED = frozenset({Need.LATENCY, Need.THROUGHPUT, Need.COST, Need.BREAK_EVEN})
"""Needs that a local contestant meets only by being timed on this machine."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a set of gates needs of a suite."""

    contestants: frozenset[str]
    timed: bool
    """Whether a gate is about speed or about a cost that follows from it."""


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
    recorded: dict[str, RecordedAnswers] = field(default_factory=dict)
    timings: dict[str, Timing] = field(default_factory=dict)
    failures: dict[str, ModelCompareError] = field(default_factory=dict)
    asked_usd: float = 0.0
    _evidence: dict[str, Evidence] = field(default_factory=dict)

    @property
    def folders(self) -> StoreFolders:
        return StoreFolders(self.options.store)

    @property
    def store(self) -> RunStore:
        return RunStore(self.folders)

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
        claims = [claim for spec in specs for claim in spec.claims]
        named = frozenset(name for claim in claims for name in contestants_of(claim))
        kinds = {need for claim in claims for needs in needs_of(claim).values() for need in needs}
        return Needs(named, bool(kinds & TIMED))

    def everything(self) -> Needs:
        return Needs(frozenset(self.suite.contestants), timed=False)

    def chosen(self, needs: Needs) -> list[ContestantSpec]:
        return [spec for name, spec in self.suite.contestants.items() if name in needs.contestants]

    def evidence(self) -> Mapping[str, Evidence]:
        """What is known about each contestant that was prepared."""
        for name, spec in self.suite.contestants.items():
            if name not in self._evidence and (found := assemble(self, spec)) is not None:
                self._evidence[name] = found
        return self._evidence

    def forget_evidence(self) -> None:
        """After more was measured."""
        self._evidence.clear()

    def judge(self, spec: GateSpec) -> Verdict:
        """The verdict on one gate; what went wrong with what it needs is an error, never a pass."""
        if self.data_error is not None:
            return error_verdict(spec, self.data_error)
        named = sorted({name for claim in spec.claims for name in contestants_of(claim)})
        for name in named:
            if name in self.failures:
                return error_verdict(spec, self.failures[name])
        if self.options.smoke:
            return Verdict(
                spec.text, Outcomes.SKIPPED, "a smoke run proves that the suite runs; its gates are not judged"
            )
        if self.options.llm == "off" and (
            asked := [name for name in named if self.suite.contestants[name].method == "prompt"]
        ):
            return Verdict(
                spec.text, Outcomes.SKIPPED, f"{', '.join(asked)} would ask an LLM, and --modelcompare-llm=off"
            )
        suite = self.suite
        return judge(
            spec,
            self.evidence(),
            confidence=suite.confidence,
            undecided=suite.undecided,
            min_coverage=suite.min_coverage,
        )


def error_verdict(spec: GateSpec, error: ModelCompareError) -> Verdict:
    return Verdict(spec.text, Outcomes.ERROR, str(error))
