"""pytest's hooks, each one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution import additions
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.inference.cores import wait_patiently
from pytest_modelcompare.pytest_plugin import tracking, xdist
from pytest_modelcompare.pytest_plugin.collected import Collected
from pytest_modelcompare.pytest_plugin.fixture import explained
from pytest_modelcompare.pytest_plugin.gate_report import gate_report
from pytest_modelcompare.pytest_plugin.items import GateItem, SuiteFile, TableItem, in_words, shown_path
from pytest_modelcompare.pytest_plugin.options import report_paths, session_options
from pytest_modelcompare.pytest_plugin.progress import watcher_for
from pytest_modelcompare.pytest_plugin.session import SESSION, Comparisons
from pytest_modelcompare.pytest_plugin.tracking import tracking_uri

IsSuite = Callable[[Path, pytest.Config], bool]
COLLECTED = pytest.StashKey[Collected]()


def start(config: pytest.Config, is_suite: IsSuite) -> None:
    """Check the options and begin to listen.

    Args:
        is_suite: whether a path is a suite by its name.
    """
    wait_patiently()
    options = session_options(config)
    config.stash[SESSION] = Comparisons(
        options, watcher_for(config), Ledger(options.budget_usd), maxfail=config.getoption("maxfail", 0)
    )
    config.stash[COLLECTED] = Collected(report_paths(config))
    additions.listen(config)
    config.pluginmanager.register(Hooks(config, is_suite), "modelcompare-hooks")
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(xdist.Hooks(config.stash[COLLECTED]), "modelcompare-xdist")
    if (uri := tracking_uri(config)) is not None:
        config.pluginmanager.register(tracking.Hooks(config.stash[COLLECTED], options, uri), "modelcompare-mlflow")


class Hooks:
    """Registered when comparisons were asked for."""

    def __init__(self, config: pytest.Config, is_suite: IsSuite) -> None:
        self.config = config
        self.is_suite = is_suite
        self.comparisons = config.stash[SESSION]
        self.collected = config.stash[COLLECTED]

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A suite file is a collector of gates."""
        return SuiteFile.from_parent(parent, path=file_path) if self.is_suite(file_path, parent.config) else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know which gates were selected before the first of them runs: only what they need is run."""
        for item in session.items:
            if isinstance(item, GateItem):
                self.comparisons.select(item.suite, item.spec)
            elif isinstance(item, TableItem):
                self.comparisons.select_table(item.parent.suite)

    def pytest_report_collectionfinish(self, config: pytest.Config) -> str | None:
        """Say what is compared, if anything is."""
        selected = self.comparisons.selected
        if not selected:
            return None
        gates = sum(len(specs) for specs in selected.values())
        store = self.comparisons.options.store
        return f"modelcompare: {gates} gate(s) of {len(selected)} suite(s), store {shown_path(store, config)}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """With a plan asked for, print it and run nothing."""
        if not session.config.option.modelcompare_plan or session.testsfailed or session.config.option.collectonly:
            return None
        from pytest_modelcompare.pytest_plugin.plan_printing import print_plan

        print_plan(self.comparisons, session.config)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach a gate's verdict to its report, as plain data that travels between xdist's processes."""
        report = yield
        if isinstance(item, GateItem) and item.verdict is not None and report.when == "setup":
            gate = asdict(gate_report(item, item.verdict, self.comparisons.of(item.suite)))
            report.modelcompare = {"suite": str(item.suite.path), "gate": gate}  # type: ignore[attr-defined]
        return report

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        """Show the interval of a figure that an assert in Python compares."""
        return explained(op, left, right)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down each gate's verdict, whichever process judged it."""
        if (found := getattr(report, "modelcompare", None)) is not None:
            self.collected.note_gate(found["suite"], found["gate"])
            if (xml := self.config.stash.get(xml_key, None)) is not None:
                # JUnit would take a gate's brackets for a parametrisation
                xml.node_reporter(report).add_attribute("name", report.nodeid.partition("::")[2])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports that were asked for; a worker hands what it found to the controller."""
        self.collected.note_suites(self.comparisons)
        worker_output = getattr(session.config, "workeroutput", None)
        if worker_output is not None:
            worker_output["modelcompare"] = self.collected.as_worker_output()
            return
        self.collected.add_lost(self.comparisons.options)
        try:
            self.collected.write_accepted()
            if not session.config.option.modelcompare_plan:
                self.collected.note_history(self.comparisons.options)
            self.collected.write_reports()
        except ModelCompareError as error:
            pytest.exit(in_words(error), returncode=pytest.ExitCode.USAGE_ERROR)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was compared and which gates hold, if anything was."""
        if (report := self.collected.report()) is not None and report.suites:
            from pytest_modelcompare.reports.terminal import write_summary

            write_summary(report, terminalreporter)
            for path in self.collected.written:
                terminalreporter.write_line(f"modelcompare report: {path}")
            if self.comparisons.options.accept:
                for line in accepted_lines(self.collected, self.config):
                    terminalreporter.write_line(line)
            for reason in dict.fromkeys(self.collected.not_kept):
                terminalreporter.write_line(f"modelcompare: not kept for later sessions: {in_words(reason)}")
            for line in self.collected.github_lines(os.environ):
                terminalreporter.write_line(line)


def accepted_lines(collected: Collected, config: pytest.Config) -> list[str]:
    """Where the accepted records are, to be committed."""
    if not collected.accepted:
        return ["modelcompare: no selected gate says `does not regress`, so nothing was accepted"]
    return [
        f"modelcompare: accepted in {shown_path(Path(path), config)}; commit it with the suite"
        for path in collected.accepted
    ]
