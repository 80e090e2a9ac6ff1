"""Collection: a suite file is a collector, each of its gates an item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.pytest_plugin.session import SESSION
from pytest_modelcompare.records import Outcomes, Verdict
from pytest_modelcompare.records.printable import obeyed_by_none, printable
from pytest_modelcompare.suite.load import load_suite

if TYPE_CHECKING:
    from pytest_modelcompare.suite.model import Suite


TABLE = "table"
"""The id of the one item of a suite without gates."""


class GateNotHeld(Exception):
    """Raised by a gate's item so that pytest reports a failure; carries the verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


class SuiteFile(pytest.File):
    """A `*.modelcompare.yaml` file."""

    suite: Suite

    def collect(self) -> Iterator[pytest.Item]:
        self.suite = load_suite(self.path, shown_path(self.path, self.config))
        for spec in self.suite.gates:
            yield GateItem.from_parent(self, name=in_words(spec.id), spec=spec)
        if not self.suite.gates:
            yield TableItem.from_parent(self, name=TABLE)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002
        """A broken suite in its own words, without a traceback of ours."""
        if isinstance(excinfo.value, ModelCompareError):
            return in_words(excinfo.value)
        return super().repr_failure(excinfo)


def shown_path(path: Path, config: pytest.Config) -> str:
    """As somebody would type it: relative to where pytest was started, where it lies below."""
    base = config.invocation_params.dir
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


class GateItem(pytest.Item):
    """One gate of a suite."""

    parent: SuiteFile

    def __init__(self, *, spec: GateSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.verdict: Verdict | None = None
        self.add_marker("modelcompare")
        for mark in spec.marks:
            self.add_marker(mark)

    @property
    def suite(self) -> Suite:
        return self.parent.suite

    def setup(self) -> None:
        """Run what the selected gates need, once, and judge: what cannot be judged is an error here."""
        comparisons = self.config.stash[SESSION]
        try:
            self.verdict = comparisons.verdict(self.suite, self.spec)
        except ModelCompareError as error:
            pytest.fail(in_words(error), pytrace=False)
        self.user_properties.extend(junit_properties(self.verdict))
        if self.verdict.outcome is Outcomes.SKIPPED:
            pytest.skip(self.verdict.message)
        if self.verdict.outcome is Outcomes.ERROR:
            pytest.fail(worded(self.verdict), pytrace=False)

    def runtest(self) -> None:
        """Hold the gate."""
        assert self.verdict is not None
        if self.verdict.outcome is not Outcomes.PASS:
            raise GateNotHeld(self.verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002
        error = excinfo.value
        if isinstance(error, GateNotHeld):
            return worded(error.verdict)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        # pytest turns the dots of a domain that ends the node id into `::`; "gate …" never does
        return self.path, self.spec.line - 1, f"gate {self.name}"


class TableItem(pytest.Item):
    """Of a suite with `gates: []`: everything is run, and the summary shows it."""

    parent: SuiteFile

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker("modelcompare")

    def setup(self) -> None:
        """Run everything; what cannot be had is an error here."""
        comparisons = self.config.stash[SESSION]
        try:
            comparisons.require_table(self.parent.suite)
        except ModelCompareError as error:
            pytest.fail(in_words(error), pytrace=False)
        if comparisons.options.smoke:
            pytest.skip("a smoke run")

    def runtest(self) -> None:
        """There is nothing to hold."""

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, None, self.name


def worded(verdict: Verdict) -> str:
    """What a gate that does not hold says of itself: the sentence, the numbers, the test."""
    lines = [repr(verdict)]
    lines += [f"  {member!r}" for member in verdict.members]
    how = ", ".join(part for part in (verdict.test, verdict.target) if part)
    if how and verdict.outcome is not Outcomes.ERROR:
        lines.append(f"  {how}; bounds at {verdict.confidence:.0%} each")
    return in_words("\n".join(lines))


def in_words(said: object) -> str:
    """As pytest prints it: without what would steer a terminal or a CI service."""
    return obeyed_by_none(printable(str(said)))


def junit_properties(verdict: Verdict) -> list[tuple[str, object]]:
    """What `--junitxml` says of a gate beside passed or failed."""
    properties: list[tuple[str, object]] = [
        ("modelcompare_outcome", str(verdict.outcome)),
        ("modelcompare_message", verdict.message),
    ]
    if verdict.difference is not None:
        inference = verdict.difference
        properties += [
            ("modelcompare_value", inference.value),
            ("modelcompare_low", inference.low),
            ("modelcompare_high", inference.high),
        ]
    return properties
