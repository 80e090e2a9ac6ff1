"""Reports of real runs: their schema, and what a run inside GitHub Actions leaves."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from pytest_modelcompare.reports.schema import report_schema
from tests.pytest_plugin.conftest import Project


def test_a_real_report_is_valid(project: Project):
    project.suite(
        "words.accuracy >= 0.90", "words beats llm on accuracy", "llm.auroc >= 0.5", "llm does not regress on accuracy"
    )
    for _ in range(2):
        project.run("--modelcompare-report=r.json")
    report = json.loads((project.pytester.path / "r.json").read_text())
    Draft202012Validator(report_schema()).validate(report)
    assert report["suites"][0]["gates"][1]["flipped"]["rows"]
    assert report["suites"][0]["contestants"]["words"]["per_label"].keys() == {"ham", "spam"}


def test_a_run_in_actions_leaves_both(project: Project, monkeypatch: pytest.MonkeyPatch):
    project.suite("words.accuracy >= 0.90", "llm.accuracy >= 0.95")
    summary = project.pytester.path / "summary.md"
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(project.pytester.path),
        "GITHUB_STEP_SUMMARY": str(summary),
    }.items():
        monkeypatch.setenv(name, value)
    result = project.run("-n", "2")
    result.stdout.fnmatch_lines(["::error file=spam.modelcompare.yaml,line=9,title=*llm.accuracy >= 0.95::0.900*"])
    assert summary.read_text().count("## ❌ Spam: 1 of 2 gates hold") == 1


def test_a_summary_that_cannot_be_written_is_said_and_fails_nothing(project: Project, monkeypatch: pytest.MonkeyPatch):
    project.suite("words.accuracy >= 0.90")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.pytester.path / "none" / "summary.md"))
    result = project.run()
    result.stdout.fnmatch_lines(["*the step's summary cannot be written: No such file or directory*"])
    assert result.ret == 0
