"""What a conftest adds beside providers: metrics and prices, in pytest and on the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.pytest_plugin.conftest import SUITE, Project

CONFTEST = """\
import numpy as np

from pytest_modelcompare.metrics.own import OwnMetric


def missed(rows):
    return 4.5 * np.mean((rows.truth == "spam") & (rows.answers != "spam"))


def pytest_modelcompare_metrics(config):
    return [OwnMetric("NAME", "USD per text, for spam let through.", missed, 0, 4.5, False, "USD")]
"""
TWO = "words beats llm on missed_usd", "llm.missed_usd <= 0.3"


def with_conftest(project: Project, name: str = "missed_usd") -> None:
    (project.pytester.path / "conftest.py").write_text(CONFTEST.replace("NAME", name))


def test_a_gate_on_a_metric_of_the_conftest_is_judged(project: Project):
    with_conftest(project)
    project.suite(*TWO)
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    # 20 of the 100 texts to spam are let through, of 200: 4.5 x 20 / 200
    result.stdout.fnmatch_lines(["*llm.missed_usd <= 0.3*FAIL*0.45 USD (0.31 to 0.6* 200 rows), over by 0.15 USD"])


def test_its_figures_stand_in_the_table_of_the_session_and_of_stored_reports(project: Project):
    with_conftest(project)
    project.suite(*TWO)
    shown = project.run("--modelcompare-report=found.json").stdout.str()
    # 20 spam texts let through, of 200: 4.5 x 20 / 200
    assert "missed_usd" in next(line for line in shown.splitlines() if line.startswith("contestant"))
    (project.pytester.path / "conftest.py").unlink()
    stored = modelcompare(project, "report", "found.json").stdout.splitlines()
    assert "0.45" in next(line for line in stored if line.startswith("llm"))


def modelcompare(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from pytest_modelcompare.cli import main; sys.exit(main())",
        *arguments,
    ]
    return subprocess.run(command, cwd=project.pytester.path, capture_output=True, text=True, check=False)


def test_check_knows_what_the_conftest_adds(project: Project):
    suite = project.suite(*TWO)
    without = modelcompare(project, "check", suite.name)
    assert "unknown metric `missed_usd`" in without.stderr
    with_conftest(project)
    done = modelcompare(project, "check", suite.name)
    assert (done.returncode, done.stdout) == (0, "spam.modelcompare.yaml: 2 contestants, 2 gates, no problem found\n")


def test_check_runs_nothing_whatever_the_settings_say(project: Project):
    with_conftest(project)
    project.pytester.makeini("[pytest]\naddopts = -n 2\nmodelcompare = true\nmodelcompare_report = found.json\n")
    done = modelcompare(project, "check", project.suite(*TWO).name)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (project.pytester.path / "found.json").exists()


def test_check_says_what_is_wrong_with_the_conftest(project: Project):
    with_conftest(project, "accuracy")
    done = modelcompare(project, "check", project.suite("words.accuracy >= 0.5").name)
    assert done.returncode == 1
    assert "the metric `accuracy` is built in" in done.stderr


def test_a_built_in_name_ends_the_run(project: Project):
    with_conftest(project, "accuracy")
    project.suite("words.accuracy >= 0.5")
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the metric `accuracy` is built in*"])


PRICES = """\
from decimal import Decimal

from pytest_modelcompare.pricing.prices import Prices


def pytest_modelcompare_prices(config):
    return {"house:seven": Prices(input=Decimal(1), output=Decimal(2))}
"""


def test_a_price_of_the_conftest_prices_a_recording(project: Project):
    (project.pytester.path / "conftest.py").write_text(PRICES)
    lines = (project.pytester.path / "answers.csv").read_text().splitlines()
    counted = [f"{lines[0]},input_tokens,output_tokens", *(f"{line},100,10" for line in lines[1:])]
    (project.pytester.path / "answers.csv").write_text("\n".join(counted))
    head = SUITE.replace("answers.csv}", 'answers.csv, model: "house:seven"}')
    project.suite("llm.cost_per_1k <= 0.121", "llm.cost_per_1k >= 0.119", head=head)
    # 1,000 x (100 x 1 + 10 x 2) / 1,000,000 = 0.12
    project.run().assert_outcomes(passed=2)
