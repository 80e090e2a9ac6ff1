"""`modelcompare accept`: what would change, and changing it, without running anything."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.pytest_plugin.conftest import Project
from tests.pytest_plugin.conftest import project as project
from tests.pytest_plugin.test_accept import answer, record


def accept(project: Project, *arguments: str) -> pytest.RunResult:
    command = Path(sys.executable).with_name("modelcompare")
    return project.pytester.run(str(command), "accept", "spam.modelcompare.yaml", *arguments)


def test_what_is_not_stored_is_not_trained(project: Project):
    project.suite("words does not regress on accuracy")
    result = accept(project, "--diff")
    assert result.ret == 1
    result.stderr.fnmatch_lines(["*no stored results of words*", "*run `pytest --modelcompare` first*"])


def test_the_diff_shows_and_writes_nothing_then_accepting_writes(project: Project):
    project.suite("llm does not regress on accuracy")
    accept(project, "--diff").stdout.fnmatch_lines(["*NEW *llm does not regress on accuracy: nothing accepted yet"])
    assert not (project.pytester.path / "spam.accepted.json").exists()
    assert accept(project).ret == 0
    assert record(project)["entries"]["llm.accuracy"]["latest"]["value"] == 0.9  # type: ignore[index]
    answer(project, every=2)
    shown = accept(project, "--diff")
    shown.stdout.fnmatch_lines(["*FAIL *llm does not regress on accuracy: 0.750, accepted 0.900 on*", "*--diff*"])
    assert record(project)["entries"]["llm.accuracy"]["times"] == 1  # type: ignore[index]
    assert accept(project).ret == 0
    assert record(project)["entries"]["llm.accuracy"]["times"] == 2  # type: ignore[index]


def test_a_suite_without_such_gates_says_so(project: Project):
    project.suite("llm.accuracy >= 0.8")
    accept(project).stdout.fnmatch_lines(["*no gate says `does not regress`"])
