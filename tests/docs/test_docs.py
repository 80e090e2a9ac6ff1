"""What README and docs show is true: every suite loads, every option and command exists."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import asdict, fields
from pathlib import Path
from types import ModuleType

import pytest
from jsonschema import Draft202012Validator

from pytest_modelcompare.cli.arguments import COMMANDS
from pytest_modelcompare.errors import SuiteError
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.plugin import VALUED
from pytest_modelcompare.records.accepted import Against
from pytest_modelcompare.records.report import ContestantReport, GateReport, SessionReport
from pytest_modelcompare.reports.schema import report_schema
from pytest_modelcompare.suite.load import load_suite
from tests.docs.blocks import PAGES, ROOT, Block, all_blocks

SUITES = [block for block in all_blocks("yaml") if "modelcompare: 1" in block.code and "runs-on" not in block.code]
PARTS = [block for block in all_blocks("yaml") if "modelcompare: 1" not in block.code and "runs-on" not in block.code]
ADDED = {
    "contestant `all` has no method": "own-method.md",
    "damage_usd": "own-metric.md",
    "unknown provider `rules`": "own-provider.md",
}
"""What a page's own conftest adds; that page is run."""


@pytest.mark.parametrize("block", SUITES, ids=lambda block: block.id)
def test_every_suite_in_the_docs_loads(block: Block, tmp_path: Path):
    (tmp_path / "s.modelcompare.yaml").write_text(block.code)
    if block.page.name in ADDED.values():
        with pytest.raises(SuiteError) as error:
            load_suite(tmp_path / "s.modelcompare.yaml")
        assert all(any(name in problem.message for name in ADDED) for problem in error.value.problems)
    else:
        assert load_suite(tmp_path / "s.modelcompare.yaml").contestants


@pytest.mark.parametrize("block", PARTS, ids=lambda block: block.id)
def test_every_contestant_in_the_docs_loads(block: Block, tmp_path: Path):
    contestants = "".join(f"  {line}\n" for line in block.code.splitlines())
    (tmp_path / "task.md").write_text("Sort the tickets.")
    path = tmp_path / "s.modelcompare.yaml"
    path.write_text(f"modelcompare: 1\ngates: []\ndata: {{train: a.csv, test: b.csv}}\ncontestants:\n{contestants}")
    assert load_suite(path).contestants


def test_there_are_suites_in_the_docs():
    assert len(SUITES) >= 15
    assert len(PARTS) >= 2


@pytest.mark.parametrize("block", all_blocks("python"), ids=lambda block: block.id)
def test_every_python_block_compiles(block: Block):
    compile(block.code, block.page.name, "exec")


def test_every_form_of_a_gate_in_the_docs_is_one():
    text = (ROOT / "docs" / "suites.md").read_text()
    sentences = re.findall(r"^\| `(A [^`]+|A\.[^`]+)`", text, re.MULTILINE)
    assert len(sentences) >= 4
    for sentence in sentences:
        plain = sentence.replace("[", "").replace("]", "").replace("metric", "accuracy")
        parse(re.sub(r"\b(X|number)$", "0.01", plain))


def loaded(path: Path) -> ModuleType:
    """A module that is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generated = loaded(ROOT / "docs" / "generated.py")
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
    (code,) = (block.code for block in all_blocks("json") if '"format"' in block.code)
    data = json.loads(code)
    report = SessionReport.from_json(data)  # refuses fields that there are not
    (suite,) = data["suites"]
    assert suite["gates"][0].keys() == {field.name for field in fields(GateReport)}
    assert suite["contestants"]["minilm"].keys() == {field.name for field in fields(ContestantReport)}
    assert suite["gates"][1]["against"] == asdict(Against(**suite["gates"][1]["against"]))
    assert report.suites[0].gates[0].p_holm is not None
    Draft202012Validator(report_schema()).validate(data)


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}


def test_every_generated_part_has_a_source():
    marks = {mark for page in PAGES for mark in generated.MARK.findall(page.read_text())}
    assert marks == generated.SOURCES.keys()


def test_the_arguments_of_every_command_are_generated():
    text = generated.arguments()
    assert all(f"### `modelcompare {name}" in text for name in COMMANDS)
    assert "`--max-latency-ms MS`" in text
    assert "### `modelcompare store prune`" in text


def test_every_option_pytest_reads_from_a_file_is_generated():
    text = generated.ini()
    assert all(f"`modelcompare_{name}`" in text for name in ("llm", "budget", "files", "report"))


def test_every_record_of_the_report_is_generated_once():
    titles = re.findall(r"^## (\w+)$", generated.report(), re.MULTILINE)
    assert {"SuiteReport", "ContestantReport", "GateReport", "Against"} <= set(titles)
    assert len(titles) == len(set(titles))
