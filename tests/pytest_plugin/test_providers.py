"""Providers that a conftest adds, and a model in this process, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.provider import ProviderKind
from pytest_modelcompare.llm.providers import provider_names, register
from tests.pytest_plugin.conftest import Project

CONFTEST = """\
import json

from pytest_modelcompare.llm.provider import Answer, ProviderKind, Usage


class Guess:
    def __init__(self, access):
        assert (access.model, access.api_key) == ("coin", None)

    async def ask(self, request):
        spam = any(word in request.messages[-1][1] for word in ("free", "win"))
        return Answer(json.dumps({"label": "spam" if spam else "ham"}), "end_turn", Usage(10, 2))

    async def close(self):
        pass


def pytest_modelcompare_providers(config):
    return [ProviderKind("NAME", Guess)]
"""
HEAD = """\
modelcompare: 1
data: {train: ROOT/train.csv, test: ROOT/test.csv}
prices: {"mine:coin": {input: 1, output: 1}}
contestants:
  words: {tfidf: {}}
  guess: {prompt: "mine:coin"}
gates:
"""


@pytest.mark.parametrize("folder", ["", "below"])
def test_a_conftest_adds_a_provider_wherever_it_stands(project: Project, folder: str):
    home = project.pytester.path / folder
    home.mkdir(exist_ok=True)
    (home / "conftest.py").write_text(CONFTEST.replace("NAME", "mine"))
    head = HEAD.replace("ROOT", str(project.pytester.path))
    project.suite(
        "words beats guess on accuracy", "guess.cost_per_1k <= 0.0121", name=f"{folder}/x" if folder else "x", head=head
    )
    project.run().assert_outcomes(passed=2)


def test_without_comparisons_the_hook_is_known_and_not_called(project: Project):
    (project.pytester.path / "conftest.py").write_text(
        "def pytest_modelcompare_providers(config):\n    raise ValueError\n"
    )
    (project.pytester.path / "test_x.py").write_text("def test_x():\n    pass\n")
    project.pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_built_in_name_is_an_error(project: Project):
    (project.pytester.path / "conftest.py").write_text(CONFTEST.replace("NAME", "openai"))
    project.suite("words beats llm on accuracy")
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the provider `openai` is built in*"])


def test_a_provider_is_forgotten_with_the_session_that_added_it():
    forget = register(ProviderKind("mine", lambda access: None))
    assert "mine" in provider_names()
    forget()
    assert "mine" not in provider_names()
    with pytest.raises(LLMError, match="no name for a provider"):
        register(ProviderKind("My LLM", lambda access: None))


LOCAL = """\
modelcompare: 1
data: {train: train.csv, test: {path: test.csv, rows: 20}}
compute: {price_per_hour: 0.10, utilisation: 0.5}
contestants:
  words: {tfidf: {}}
  small: {prompt: "local:MODEL", shots: 2}
gates:
"""


def test_a_model_in_this_process_needs_no_key_and_costs_what_the_machine_costs(project: Project, stories_folder: Path):
    head = LOCAL.replace("MODEL", str(stories_folder))
    project.suite(
        "small.auroc >= 0",
        "small.latency_p95_ms >= 0.1",
        "{gate: words.cost_per_1k <= small.cost_per_1k, decide: point}",
        head=head,
    )
    result = project.run("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*made from likelihoods of the labels*"])
    again = project.run("--modelcompare-llm=off")
    again.assert_outcomes(passed=3)
    again.stdout.no_fnmatch_line("*side by side*")
