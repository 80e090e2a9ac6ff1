"""`--modelcompare-plan`: what would run, printed."""

from __future__ import annotations

import pytest

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.plan import planned
from pytest_modelcompare.pytest_plugin.items import in_words
from pytest_modelcompare.pytest_plugin.session import Comparisons
from pytest_modelcompare.reports.plan_lines import bill_line, plan_lines


def print_plan(comparisons: Comparisons, config: pytest.Config) -> None:
    """Every job with whether it is stored, what the LLM calls would cost, and the power of the gates.

    Raises:
        pytest.UsageError: the plan cannot be made, because data or stored answers are not there.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    try:
        plans = planned(comparisons.wanted())
    except ModelCompareError as error:
        raise pytest.UsageError(in_words(error)) from error
    reporter.write_sep("=", "modelcompare plan")
    for comparison, jobs in plans:
        gates = comparisons.selected[comparison.suite.path]
        for line in plan_lines(comparison, jobs, gates, reporter._tw.fullwidth):
            reporter.write_line(in_words(line))
    reporter.write_line(bill_line(job for _, jobs in plans for job in jobs))
