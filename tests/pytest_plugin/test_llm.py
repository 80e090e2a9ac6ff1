"""A suite that asks an LLM, from the command line, against a service on loopback."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_modelcompare.pricing.dollars import usd
from tests.llm.anthropic_server import KEY, AnthropicServer, serving
from tests.pytest_plugin.conftest import Project

HEAD = """\
modelcompare: 1
name: Spam
data: {{train: train.csv, test: test.csv}}
compute: {{price_per_hour: 0.10, utilisation: 0.5}}
{extra}
contestants:
  words: {{tfidf: {{}}}}
  claude: {{prompt: "anthropic:claude-haiku-5-5", base_url: "{url}"}}
gates:
"""
BEATS = "words beats claude on accuracy"


def guess(text: str, _: int) -> str:
    """Right about spam that speaks of money."""
    return "spam" if "free" in text or "win" in text else "ham"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnthropicServer]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(guess) as running:
        yield running


def write(project: Project, server: AnthropicServer, *gates: str, extra: str = "") -> None:
    project.suite(*gates, head=HEAD.format(url=server.url, extra=extra))


def test_every_row_is_asked_once_and_a_second_run_asks_nothing(project: Project, server: AnthropicServer):
    write(project, server, BEATS, "words.cost_per_1k <= claude.cost_per_1k / 10")
    first = project.run("--modelcompare-report=r.json")
    first.assert_outcomes(passed=2)
    assert server.calls == 200
    spend = json.loads((project.pytester.path / "r.json").read_text())["spend"]
    assert (spend["calls"], spend["stored_answers"]) == (200, 0)
    tokens = server.billed
    assert spend["usd"] == pytest.approx((tokens["input_tokens"] * 0.10 + tokens["output_tokens"] * 0.50) / 1e6)
    again = project.run()
    again.assert_outcomes(passed=2)
    assert "0 LLM calls, 200 answers from the store, 0 USD" in " ".join(again.stdout.str().split())
    assert server.calls == 200


def test_requests_whose_answer_was_not_heard_are_reported_as_perhaps_billed(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    faults: Iterator[dict[str, Any]] = iter([{"status": 504}, {"drop": True}])

    def answer(text: str, times: int) -> dict[str, Any] | str:
        return next(faults, None) or guess(text, times)

    with serving(answer) as server:
        write(project, server, BEATS)
        result = project.run("--modelcompare-report=r.json", "--modelcompare-report=r.html")
    spend = json.loads((project.pytester.path / "r.json").read_text())["spend"]
    assert spend["perhaps_billed"] == 2
    assert 0 < spend["perhaps_billed_usd"] < 0.01
    words = f"2 requests perhaps billed, up to {usd(spend['perhaps_billed_usd'])} USD"
    assert words in " ".join(result.stdout.str().split())
    assert words in (project.pytester.path / "r.html").read_text()


def test_under_xdist_no_row_is_asked_twice(project: Project, server: AnthropicServer):
    write(project, server, BEATS, "claude.accuracy >= 0.1", "claude.coverage >= 0.9")
    project.run("-n", "2").assert_outcomes(passed=3)
    assert server.calls == 200


def test_off_skips_the_gates_that_need_the_llm(project: Project, server: AnthropicServer):
    write(project, server, BEATS, "words.accuracy >= 0.9")
    project.run("--modelcompare-llm=off").assert_outcomes(passed=1, skipped=1)
    assert server.calls == 0


def test_replay_without_answers_is_an_error(project: Project, server: AnthropicServer):
    write(project, server, BEATS)
    result = project.run("--modelcompare-llm=replay")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*200 of 200 answers*are not stored*"])


def test_no_key_is_an_error_that_names_both_ways_out(
    project: Project, server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    write(project, server, BEATS)
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no API key in ANTHROPIC_API_KEY*", "*--modelcompare-llm=off*"])


def test_a_missing_key_is_an_error_of_its_own_llm_alone(project: Project, server: AnthropicServer, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    head = HEAD.replace("gates:", '  gpt: {{prompt: "openai:gpt-4.1"}}\ngates:').format(url=server.url, extra="")
    project.suite(BEATS, "words beats gpt on accuracy", head=head)
    result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    assert server.calls == 200


@pytest.mark.parametrize("option", ["--modelcompare-budget=0.0001", None])
def test_a_plan_above_what_may_be_spent_is_refused_before_its_first_call(
    project: Project, server: AnthropicServer, option: str | None
):
    write(project, server, BEATS, extra="" if option else "budget: {usd: 0.0001}")
    result = project.run(*([option] if option else []))
    result.assert_outcomes(errors=1)
    assert "USD may be spent; none was made" in " ".join(result.stdout.str().split())
    assert server.calls == 0


def test_a_gate_cut_short_by_the_budget_is_an_error_and_the_next_session_asks_the_rest(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    talkative = json.dumps({"label": "ham", "because": "so it is " * 60})  # about ten times what an answer takes
    with serving(lambda text, _: {"text": talkative}) as server:
        gates = (BEATS, "claude.accuracy >= 0.1", "words.accuracy >= 0.9")
        write(project, server, *gates, extra="budget: {usd: 0.008}")
        cut = project.run("--modelcompare-report=r.json")
        cut.assert_outcomes(passed=1, errors=2)
        cut.stdout.fnmatch_lines(
            ["*the next request could exceed the budget of 0.0080 USD*", "*answers so far are stored*"]
        )
        report = json.loads((project.pytester.path / "r.json").read_text())
        assert [gate["outcome"] for gate in report["suites"][0]["gates"]] == ["error", "error", "pass"]
        assert 0 < server.calls < 200
        assert report["spend"]["calls"] == server.calls
        assert report["spend"]["usd"] == pytest.approx(server.bill_usd("anthropic:claude-haiku-5-5"))
        assert report["spend"]["usd"] <= 0.008
        project.run("--modelcompare-budget=0.5").assert_outcomes(passed=3)
        assert server.calls == 200


def test_without_a_budget_more_than_one_dollar_is_refused(project: Project, server: AnthropicServer):
    write(project, server, BEATS, extra='prices: {"anthropic:claude-haiku-5-5": {input: 1000, output: 1000}}')
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*and 1.00 USD may be spent*"])


def test_the_plan_estimates_the_bill_and_asks_nothing(project: Project, server: AnthropicServer):
    write(project, server, BEATS)
    result = project.run("--modelcompare-plan")
    result.stdout.fnmatch_lines(["*claude*new*ask 200 of 200 requests*USD*"])
    assert server.calls == 0


def test_a_killed_key_stops_at_once_and_the_rest_is_judged(
    project: Project, server: AnthropicServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-wrong-1234567")
    write(project, server, BEATS, "words.accuracy >= 0.9")
    result = project.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*refuses for good (401)*"])
    assert "sk-wrong-1234567" not in result.stdout.str()


def test_what_a_killed_worker_spent_is_counted(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    log, killed = project.pytester.path / ".modelcompare" / "answers" / "spending.jsonl", list[int]()

    def answer(text: str, times: int) -> str:
        if not killed and log.exists() and len(lines := log.read_text().splitlines()) >= 60:
            killed.append(json.loads(lines[-1])["process"])
            os.kill(killed[0], signal.SIGKILL)
        return guess(text, times)

    with serving(answer) as server:
        head = HEAD.replace('base_url: "{url}"', 'base_url: "{url}", max_concurrency: 1')
        project.suite(BEATS, "claude.accuracy >= 0.1", head=head.format(url=server.url, extra=""))
        project.run("-n", "2", "--modelcompare-report=r.json")
        assert killed
        spend = json.loads((project.pytester.path / "r.json").read_text())["spend"]
        # one answer was under way, or not yet noted, when its process was killed; every other is counted once
        assert server.calls - 2 <= spend["calls"] <= server.calls
        billed = (server.billed["input_tokens"] * 0.10 + server.billed["output_tokens"] * 0.50) / 1e6
        assert spend["usd"] == pytest.approx(billed, rel=2 / 200)
        assert spend["usd"] <= billed * (1 + 1e-9)
