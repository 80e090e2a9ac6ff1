"""One session's comparisons: what the selected gates need is run once, before the first of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_modelcompare.execution.comparison import Comparison, Needs
from pytest_modelcompare.execution.judging import verdict_on
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.prepare import prepare
from pytest_modelcompare.execution.stopping import names_of
from pytest_modelcompare.pytest_plugin.progress import Screen
from pytest_modelcompare.records import Verdict
from pytest_modelcompare.records.options import Options

if TYPE_CHECKING:
    from pytest_modelcompare.gates.spec import GateSpec
    from pytest_modelcompare.records.jobs import Job
    from pytest_modelcompare.suite.model import Suite


@dataclass(slots=True)
class Comparisons:
    """Every suite of this process, by path."""

    options: Options
    watcher: Screen
    ledger: Ledger
    suites: dict[Path, Comparison] = field(default_factory=dict)
    selected: dict[Path, list[GateSpec]] = field(default_factory=dict)
    prepared: bool = False
    maxfail: int = 0
    """After so many failures pytest stops (`-x`, `--maxfail`); 0: it does not."""

    needed: dict[int, dict[Path, set[str]]] = field(default_factory=dict)
    """After how many failures of contestants, by suite: the jobs of gates that pytest will come to."""

    def select(self, suite: Suite, spec: GateSpec) -> None:
        """Note a gate that will be judged."""
        self.of(suite)
        self.selected.setdefault(suite.path, []).append(spec)

    def select_table(self, suite: Suite) -> None:
        """Note a suite without gates, all of which is run."""
        self.of(suite)
        self.selected.setdefault(suite.path, [])

    def of(self, suite: Suite) -> Comparison:
        if suite.path not in self.suites:
            self.suites[suite.path] = Comparison(suite, self.options, self.ledger)
        return self.suites[suite.path]

    def wanted(self) -> list[tuple[Comparison, Needs]]:
        """What the selected gates need of each suite; of one without gates, everything."""
        pairs = [(self.suites[path], specs) for path, specs in self.selected.items()]
        return [(one, one.needs(specs) if specs else one.everything()) for one, specs in pairs]

    def verdict(self, suite: Suite, spec: GateSpec) -> Verdict:
        """Judge a gate, after everything that any selected gate needs has been run."""
        self.prepare_selected()
        return verdict_on(self.of(suite), spec)

    def require_table(self, suite: Suite) -> None:
        """Have everything of a suite without gates.

        Raises:
            ModelCompareError: the first thing that could not be had.
        """
        self.prepare_selected()
        comparison = self.of(suite)
        if comparison.data_error is not None:
            raise comparison.data_error
        for error in comparison.failures.values():
            raise error

    def prepare_selected(self) -> None:
        """Run, once, what any selected gate needs."""
        if not self.prepared:
            self.prepared = True
            with self.watcher.working():
                prepare(self.wanted(), self.watcher, self.is_needed if self.maxfail else lambda *_: True)

    def is_needed(self, comparison: Comparison, job: Job[Any]) -> bool:
        """Whether something needs the job that pytest will come to: nothing after the last failure that it takes."""
        if not comparison.graph.users_of(job.key):
            return True
        failures = sum(len(one.failures) for one in self.suites.values())
        if failures not in self.needed:
            reached = self.reached().items()
            self.needed[failures] = {path: self.suites[path].graph.keys_for(names) for path, names in reached}
        return job.key in self.needed[failures].get(comparison.suite.path, ())

    def reached(self) -> dict[Path, set[str]]:
        """By suite, the contestants of the gates that pytest will come to; of a suite without gates, all."""
        errors, found = 0, dict[Path, set[str]]()
        for path, specs in self.selected.items():
            one, names = self.suites[path], found.setdefault(path, set())
            names |= set() if specs else one.suite.contestants.keys()
            for spec in specs:
                named = names_of(spec)
                errors += one.data_error is not None or bool(named & one.failures.keys())
                if errors >= self.maxfail:
                    return found
                names |= named
        return found

    def prepare_one(self, comparison: Comparison, needs: Needs) -> None:
        """Run what a Python test needs of a suite."""
        with self.watcher.working():
            prepare([(comparison, needs)], self.watcher)


SESSION = pytest.StashKey[Comparisons]()
