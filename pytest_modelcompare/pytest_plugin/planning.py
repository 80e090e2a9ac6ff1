"""`--modelcompare-plan`: what would run, printed."""

from __future__ import annotations

import pytest

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.plan import planned
from pytest_modelcompare.pytest_plugin.session import Comparisons
from pytest_modelcompare.reports.power_table import power_lines, powers_of


def print_plan(comparisons: Comparisons, config: pytest.Config) -> None:
    """Every job with whether it is stored, what the LLM calls would cost, and the power of the gates.

    Raises:
        pytest.UsageError: the plan cannot be made, because data or stored answers are not there.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    try:
        plans = planned(comparisons.wanted())
    except ModelCompareError as error:
        raise pytest.UsageError(str(error)) from error
    total = 0.0
    reporter.write_sep("=", "modelcompare plan")
    for comparison, jobs in plans:
        dataset = comparison.dataset
        assert dataset is not None
        train = len(dataset.train) if dataset.train is not None else 0
        reporter.write_line(f"{comparison.suite.name}: {train:,} training rows, {len(dataset.test):,} test rows")
        for job in jobs:
            price = f"  about {job.usd:.4f} USD" if job.usd else ""
            reporter.write_line(f"  {job.contestant:<20} {'stored' if job.stored else 'new':<7} {job.what}{price}")
            total += job.usd
        for warning in dataset.warnings:
            reporter.write_line(f"  data: {warning}")
        powers = powers_of(comparison.suite, dataset, comparisons.selected[comparison.suite.path])
        for line in power_lines(powers, reporter._tw.fullwidth):
            reporter.write_line(line)
    reporter.write_line(f"LLM calls: about {total:.4f} USD; nothing was run")
