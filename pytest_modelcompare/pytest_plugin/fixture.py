"""The fixture `modelcompare`: a comparison in a Python test."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.judging import verdict_on
from pytest_modelcompare.gates.check import check
from pytest_modelcompare.gates.claims import quoted_label
from pytest_modelcompare.gates.language import contestant_named, parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.pytest_plugin.session import SESSION, Comparisons
from pytest_modelcompare.records import Verdict
from pytest_modelcompare.suite.gates import abilities_of
from pytest_modelcompare.suite.load import load_suite
from pytest_modelcompare.suite.model import Suite


def comparer(request: pytest.FixtureRequest) -> Callable[[str | Path | Suite], Compared]:
    """What the fixture hands to a test."""
    return Comparer(request.config.stash[SESSION], request.path.parent)


@dataclass(frozen=True, slots=True, repr=False)
class Comparer:
    """The fixture's value: call it with a suite."""

    comparisons: Comparisons
    base: Path

    def __call__(self, suite: str | Path | Suite) -> Compared:
        return compared(self.comparisons, self.base, suite)

    def __repr__(self) -> str:
        return "modelcompare"


def compared(comparisons: Comparisons, base: Path, suite: str | Path | Suite) -> Compared:
    """Run or replay every contestant of a suite, once per session.

    Args:
        suite: a path, relative to the test file, or a `Suite` built with `compare`.
    """
    loaded = suite if isinstance(suite, Suite) else load_suite(base / suite)
    comparison = comparisons.of(loaded)
    comparisons.prepare_one(comparison, comparison.everything())
    return Compared(comparisons, comparison)


@dataclass(frozen=True, slots=True, repr=False)
class Compared:
    """A suite's contestants by name."""

    comparisons: Comparisons
    comparison: Comparison

    def __repr__(self) -> str:
        return self.comparison.suite.name

    def __getitem__(self, name: str) -> Contestant:
        name = contestant_named(name)
        if name not in self.comparison.suite.contestants:
            known = ", ".join(self.comparison.suite.contestants)
            raise GateError(f"unknown contestant `{name}`", fix=f"the suite has {known}")
        return Contestant(self, name)

    def gate(self, sentence: str) -> Verdict:
        """The verdict on any sentence of the gate language.

        Raises:
            GateError: the sentence is no claim, or cannot be judged.
        """
        claim = parse(sentence)
        suite = self.comparison.suite
        abilities = {name: abilities_of(spec) for name, spec in suite.contestants.items()}
        dataset = self.comparison.dataset
        for issue in check(claim, abilities, dataset.labels if dataset else None):
            raise GateError(f"{sentence}: {issue.message}", fix=issue.hint)
        spec = GateSpec(sentence, (claim,))
        needs = self.comparison.needs([spec])
        if needs.timed:
            self.comparisons.prepare_one(self.comparison, needs)
        return verdict_on(self.comparison, spec)


@dataclass(frozen=True, slots=True, repr=False)
class Contestant:
    """One contestant; its metrics are attributes."""

    compared: Compared
    name: str

    def __repr__(self) -> str:
        return self.name

    def __getattr__(self, metric: str) -> Figure:
        if metric not in METRICS:
            raise AttributeError(f"no metric `{metric}`; there are {', '.join(METRICS)}")
        return Figure(self.compared, f"{self.name}.{metric}")

    def beats(self, other: str, *, on: str, by: float = 0.0) -> Verdict:
        """Better than `other` by more than `by`, in the metric's own direction."""
        return self.compared.gate(f"{self.name} beats {other} on {on}" + (f" by {by!r}" if by else ""))

    def matches(self, other: str, *, on: str, within: float) -> Verdict:
        """Not worse than `other` by `within` or more."""
        return self.compared.gate(f"{self.name} matches {other} on {on} within {within!r}")

    def does_not_regress(self, *, on: str, within: float | None = None) -> Verdict:
        """No worse than what was accepted; with `within`, shown to lose less than that."""
        margin = "" if within is None else f" within {within!r}"
        return self.compared.gate(f"{self.name} does not regress on {on}{margin}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Figure:
    """A metric, or arithmetic over some. Comparing it gives a verdict."""

    compared: Compared
    text: str

    def __repr__(self) -> str:
        return self.text

    def __getitem__(self, label: str) -> Figure:
        return Figure(self.compared, f"{self.text}[{quoted_label(label)}]")

    def __call__(self, other: str) -> Figure:
        return Figure(self.compared, f"{self.text}({other})")

    def __ge__(self, other: Figure | float) -> Verdict:
        return self._claim(">=", other)

    def __gt__(self, other: Figure | float) -> Verdict:
        return self._claim(">", other)

    def __le__(self, other: Figure | float) -> Verdict:
        return self._claim("<=", other)

    def __lt__(self, other: Figure | float) -> Verdict:
        return self._claim("<", other)

    def __add__(self, other: Figure | float) -> Figure:
        return self._with("+", other)

    def __sub__(self, other: Figure | float) -> Figure:
        return self._with("-", other)

    def __mul__(self, other: Figure | float) -> Figure:
        return self._with("*", other)

    def __truediv__(self, other: Figure | float) -> Figure:
        return self._with("/", other)

    __radd__ = __add__
    __rmul__ = __mul__

    def _with(self, sign: str, other: Figure | float) -> Figure:
        return Figure(self.compared, f"({self.text} {sign} {said(other)})")

    def _claim(self, sign: str, other: Figure | float) -> Verdict:
        return self.compared.gate(f"{self.text} {sign} {said(other)}")


def explained(op: str, left: object, right: object) -> list[str] | None:
    """What pytest shows of a comparison that does not hold: the verdict, with its interval."""
    if not isinstance(left, Figure) or op not in ("<", "<=", ">", ">="):
        return None
    verdict = left._claim(op, right)  # type: ignore[arg-type]
    return [repr(verdict), f"{verdict.test}, {verdict.target}; bounds at {verdict.confidence:.0%} each"]


def said(other: Figure | float) -> str:
    return (
        other.text
        if isinstance(other, Figure)
        else repr(float(operator.index(other) if isinstance(other, int) else other))
    )
