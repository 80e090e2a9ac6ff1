"""What README and docs show is true: every suite loads, every option and command exists."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pytest_modelcompare.cli import COMMANDS
from pytest_modelcompare.plugin import VALUED
from pytest_modelcompare.records.accepted import Against
from pytest_modelcompare.records.report import ContestantReport, GateReport, SessionReport
from pytest_modelcompare.reports.schema import report_schema
from pytest_modelcompare.suite.load import load_suite

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    return [(path.name, code) for path in PAGES for kind, code in FENCE.findall(path.read_text()) if kind == language]


SUITES = [
    (name, code)
    for name, code in blocks("yaml")
    if code.lstrip().startswith(("modelcompare:", "#")) and "modelcompare: 1" in code
]


@pytest.mark.parametrize(("page", "code"), SUITES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(SUITES)])
def test_every_suite_in_the_docs_loads(page: str, code: str, tmp_path: Path):
    (tmp_path / "s.modelcompare.yaml").write_text(code)
    assert load_suite(tmp_path / "s.modelcompare.yaml").contestants


def test_there_are_suites_in_the_docs():
    assert len(SUITES) >= 3


SWITCHES = {"", "-plan", "-smoke", "-fresh", "-accept"} | {f"-{name}" for name, *_ in VALUED}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_option_in_the_docs_exists(path: Path):
    named = set(re.findall(r"--modelcompare((?:-[a-z]+)*)", path.read_text()))
    assert named <= SWITCHES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_in_the_docs_exists(path: Path):
    named = set(re.findall(r"`modelcompare ([a-z]+)", path.read_text()))
    assert named <= COMMANDS.keys()


def test_relative_links_lead_somewhere():
    for path in PAGES:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_schema_header_of_the_docs_names_the_command():
    assert "yaml-language-server: $schema=" in (ROOT / "docs" / "suites.md").read_text()


def test_the_report_in_the_docs_has_every_field_and_no_other():
    (code,) = (code for _, code in blocks("json") if '"format"' in code)
    data = json.loads(code)
    report = SessionReport.from_json(data)  # refuses fields that there are not
    (suite,) = data["suites"]
    assert suite["gates"][0].keys() == {field.name for field in fields(GateReport)}
    assert suite["contestants"]["minilm"].keys() == {field.name for field in fields(ContestantReport)}
    assert suite["gates"][1]["against"] == asdict(Against(**suite["gates"][1]["against"]))
    assert report.suites[0].gates[0].p_holm is not None
    Draft202012Validator(report_schema()).validate(data)
