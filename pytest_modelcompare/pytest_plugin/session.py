"""One session's comparisons: what the selected gates need is run once, before the first of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
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
            for comparison in self.suites.values():
                comparison.needed_now = partial(self.is_needed, comparison)
            with self.watcher.working():
                prepare(self.wanted(), self.watcher)

    def is_needed(self, comparison: Comparison, job: Job[Any]) -> bool:
        """Whether a gate needs the job that pytest will come to: not those after the last failure that it takes."""
        if not self.maxfail or not comparison.graph.users_of(job.key):
            return True
        errors = 0
        for path, specs in self.selected.items():
            one = self.suites[path]
            for spec in specs:
                named = names_of(spec)
                errors += one.data_error is not None or bool(named & one.failures.keys())
                if errors >= self.maxfail:
                    return False
                if one is comparison and job.key in comparison.graph.keys_for(named):
                    return True
        return any(not specs for specs in self.selected.values())

    def prepare_one(self, comparison: Comparison, needs: Needs) -> None:
        """Run what a Python test needs of a suite."""
        with self.watcher.working():
            prepare([(comparison, needs)], self.watcher)


SESSION = pytest.StashKey[Comparisons]()
