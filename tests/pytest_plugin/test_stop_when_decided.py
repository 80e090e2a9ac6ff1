"""`stop_when_decided` and `recording` from the command line, against a service on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.llm.anthropic_server import KEY, AnthropicServer, serving
from tests.pytest_plugin.conftest import Project

HEAD = """\
modelcompare: 1
name: Spam
references: false
data: {{test: test.csv}}
contestants:
  small: {{predictions: answers.csv}}
  claude: {{prompt: "anthropic:claude-haiku-5-5", base_url: "{url}", stop_when_decided: true,
            recording: recorded.jsonl.gz}}
gates:
"""
BEATS = "small beats claude on accuracy"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnthropicServer]:
    """Calls everything ham: right on half of the 200 rows, the recorded answers are right on 180."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(lambda *_: "ham") as running:
        yield running


def write(project: Project, server: AnthropicServer, *gates: str) -> None:
    project.suite(*gates, head=HEAD.format(url=server.url))


def test_half_of_200_rows_decide_and_the_report_says_what_was_saved(project: Project, server: AnthropicServer):
    write(project, server, BEATS)
    result = project.run("--modelcompare-report=r.json")
    result.assert_outcomes(passed=1)
    assert server.calls == 100  # looks at 100 and 200 rows
    report = json.loads((project.pytester.path / "r.json").read_text())
    claude = report["suites"][0]["contestants"]["claude"]
    assert claude["metrics"]["accuracy"]["n"] == 100
    assert claude["metrics"]["accuracy"]["low"] is None
    assert "asked on 100 of 200 rows, until every gate was decided: 100 calls saved" in claude["notes"]
    assert report["spend"]["calls"] == 100


def test_under_xdist_the_workers_stop_at_the_same_row(project: Project, server: AnthropicServer):
    write(project, server, BEATS, f"{BEATS} by 0.05", "claude.coverage >= 0.9")
    project.run("-n", "2").assert_outcomes(passed=3)
    assert server.calls == 100


def test_the_plan_prints_the_looks_and_what_forces_all_rows(project: Project, server: AnthropicServer):
    write(project, server, BEATS)
    said = " ".join(project.run("--modelcompare-plan").stdout.str().split())
    assert "claude: looks at 100, 200 rows; asking stops once every gate looked at is decided" in said
    write(project, server, BEATS, "small beats claude on f1")
    said = " ".join(project.run("--modelcompare-plan").stdout.str().split())
    assert "claude: all 200 rows are asked: `small beats claude on f1`" in said
    assert server.calls == 0


def test_a_nightly_refresh_records_and_a_pull_request_replays_without_key_or_store(
    project: Project, server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
):
    write(project, server, BEATS)
    project.run("--modelcompare-llm=refresh", "--modelcompare-store=night").assert_outcomes(passed=1)
    project.run("--modelcompare-llm=refresh", "--modelcompare-store=night").assert_outcomes(passed=1)
    assert server.calls == 200
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    result = project.run("--modelcompare-store=fresh", "--modelcompare-report=r.json")
    result.assert_outcomes(passed=1)
    assert server.calls == 200
    claude = json.loads((project.pytester.path / "r.json").read_text())["suites"][0]["contestants"]["claude"]
    assert "asked anew once" in claude["notes"]


def test_a_stale_recording_is_an_error_that_counts(
    project: Project, server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
):
    write(project, server, BEATS)
    project.run("--modelcompare-llm=refresh").assert_outcomes(passed=1)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    head = HEAD.replace("recording:", "instructions: What is it?, recording:")
    project.suite(BEATS, head=head.format(url=server.url))
    result = project.run("--modelcompare-store=fresh", "--modelcompare-llm=replay")
    result.assert_outcomes(errors=1)
    said = " ".join(result.stdout.str().split())
    assert "100 of 100 answers of anthropic:claude-haiku-5-5 are not stored" in said
    assert "the recording recorded.jsonl.gz is stale: 0 of its 100 answers fit (the prompt is another)" in said
