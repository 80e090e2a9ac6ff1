"""`modelcompare plan SUITE…`: what `pytest --modelcompare` would train and ask, and the bill; nothing is run."""

from __future__ import annotations

import argparse
import shutil
import sys
import uuid
from pathlib import Path

from pytest_modelcompare.errors import ModelCompareError
from pytest_modelcompare.execution.comparison import Comparison
from pytest_modelcompare.execution.ledger import Ledger
from pytest_modelcompare.execution.plan import PlannedJob, planned_jobs
from pytest_modelcompare.records.options import Options
from pytest_modelcompare.reports.plan_lines import bill_line, plan_lines
from pytest_modelcompare.suite.load import load_suite


def run(options: argparse.Namespace) -> int:
    """Print each suite's plan, problems to stderr; 1 if a suite or its data has some."""
    status, total, width = 0, list[PlannedJob](), shutil.get_terminal_size().columns
    asked = Options(Path(options.store).resolve(), uuid.uuid4().hex, llm=options.llm, fresh=options.fresh)
    for name in options.suites:
        try:
            suite = load_suite(Path(name))
            comparison = Comparison(suite, asked, Ledger())
            jobs = planned_jobs(comparison, comparison.needs(suite.gates))
            print("\n".join(plan_lines(comparison, jobs, suite.gates, width)))
            total += jobs
        except ModelCompareError as error:
            print(error, file=sys.stderr)
            status = 1
    print(bill_line(total))
    return status
