"""`optimise` from the command line: the plan, the report and `answers show`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_modelcompare.cli import main
from tests.llm.anthropic_server import KEY, serving, texts_of
from tests.llm.test_optimise import RIGHT_WORDS
from tests.pytest_plugin.conftest import Project

pytest.importorskip("dspy", reason="the extra `dspy` is not installed: pip install 'pytest-modelcompare[dspy]'")

HEAD = """\
modelcompare: 1
data: {{train: train.csv, test: test.csv}}
contestants:
  words: {{tfidf: {{}}}}
  claude: {{prompt: "anthropic:claude-haiku-5-5", base_url: "{url}", shots: 0, optimise: {{trials: 2, rows: 20}}}}
gates:
"""


def test_the_search_is_planned_reported_and_shown(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    def answer(text: str, _: int) -> Any:
        if "[[ ## observations ## ]]" in text or "[[ ## summary ## ]]" in text:
            return {"text": "[[ ## observations ## ]]\nShort.\n[[ ## summary ## ]]\nShort.\n[[ ## completed ## ]]"}
        if "[[ ## proposed_instruction ## ]]" in text:
            return {"text": f"[[ ## proposed_instruction ## ]]\n{RIGHT_WORDS}\n\n[[ ## completed ## ]]"}
        knows = RIGHT_WORDS in texts_of(server.bodies[-1]["system"])
        spam = any(word in text for word in ("free", "pills", "reward", "lottery"))
        return "spam" if knows and spam else "ham"

    with serving(answer) as server:
        suite = project.suite("claude.accuracy >= 0.8", head=HEAD.format(url=server.url))
        plan = project.run("--modelcompare-plan")
        # 200 test rows; 2 prompts on 20 rows, 1 proposal, 6 calls to sum training rows up
        plan.stdout.fnmatch_lines(["*ask 247 of 247 requests*at most 47 of them to search a prompt on training rows*"])
        assert server.calls == 0
        first = project.run(
            "-v", "--modelcompare-report=r.json", "--modelcompare-report=r.html", "--modelcompare-report=r.md"
        )
        first.assert_outcomes(passed=1)
        assert server.calls == 247
    found = f"instructions chosen: {RIGHT_WORDS}"
    assert found in " ".join(first.stdout.str().split())
    report = json.loads((project.pytester.path / "r.json").read_text())
    assert found in report["suites"][0]["contestants"]["claude"]["notes"]
    assert report["spend"]["calls"] == 247
    assert report["spend"]["usd"] == pytest.approx(server.bill_usd("anthropic:claude-haiku-5-5"))
    assert found in (project.pytester.path / "r.html").read_text()
    store = str(project.pytester.path / ".modelcompare")
    assert main(["answers", "show", str(suite), "claude", "3", "--store", store]) == 0
    shown = capsys.readouterr().out
    assert f"--- system ---\n{RIGHT_WORDS}" in shown
    assert f"note: {found}" in shown
