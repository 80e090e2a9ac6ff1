"""The workflow of the docs is one that GitHub would take."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pytest_modelcompare.reports.formats import FORMATS

PAGE = Path(__file__).parents[2] / "docs" / "github-actions.md"


def code() -> str:
    (found,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(code())
    return found


def steps(workflow: dict[str, Any], job: str) -> list[dict[str, Any]]:
    return list(workflow["jobs"][job]["steps"])


def command(workflow: dict[str, Any], job: str) -> list[str]:
    (line,) = [step["run"] for step in steps(workflow, job) if step.get("run", "").startswith("pytest")]
    return shlex.split(line)


def test_it_keeps_to_the_schema_of_workflows(tmp_path: Path):
    pytest.importorskip("check_jsonschema", reason="needs the extra `test` (check-jsonschema)")
    path = tmp_path / "workflow.yml"
    path.write_text(code())
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_pull_request_installs_the_core_and_the_nightly_run_everything(workflow: dict[str, Any]):
    installs = {
        job: [step["run"] for step in steps(workflow, job) if step.get("run", "").startswith("pip install")]
        for job in workflow["jobs"]
    }
    assert installs == {
        "pull-request": ["pip install pytest-modelcompare"],
        "nightly": ['pip install "pytest-modelcompare[all]"'],
    }


def test_every_step_runs_or_uses_something(workflow: dict[str, Any]):
    assert set(workflow["on"]) == {"pull_request", "workflow_dispatch", "schedule"}
    assert workflow["jobs"].keys() == {"pull-request", "nightly"}
    for job in workflow["jobs"]:
        assert all(("run" in step) != ("uses" in step) for step in steps(workflow, job))


def test_pytest_takes_both_commands(workflow: dict[str, Any], pytester: pytest.Pytester):
    for job in workflow["jobs"]:
        result = pytester.runpytest_subprocess(*command(workflow, job)[1:], "--collect-only")
        assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_pull_request_spends_nothing_and_the_nightly_run_has_a_cap(workflow: dict[str, Any]):
    assert "--modelcompare-llm=replay" in command(workflow, "pull-request")
    assert {"--modelcompare-fresh", "--modelcompare-llm=refresh", "--modelcompare-budget=5"} <= set(
        command(workflow, "nightly")
    )


def test_what_is_attached_and_posted_is_what_is_written(workflow: dict[str, Any]):
    written = {part.partition("=")[2] for part in command(workflow, "pull-request") if "-report=" in part}
    assert {Path(name).suffix for name in written} == FORMATS.keys()
    (posted,) = [step["run"] for step in steps(workflow, "pull-request") if step.get("name") == "Comment"]
    assert "--body-file report.md" in posted
    assert "report.md" in written


def test_both_jobs_share_one_store(workflow: dict[str, Any]):
    caches = [
        step["with"] for job in workflow["jobs"] for step in steps(workflow, job) if "cache/" in step.get("uses", "")
    ]
    assert len(caches) == 3
    assert {cache["path"] for cache in caches} == {".modelcompare"}
    assert all(cache["key"].startswith("modelcompare-$") for cache in caches)
