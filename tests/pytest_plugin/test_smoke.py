from __future__ import annotations

import pytest

from tests.pytest_plugin.conftest import Project

OFFLINE = """\
modelcompare: 1
name: News
data: {train: "hf://acme/news@main:train", test: "hf://acme/news@main:test", labels: [World, Sports, Sci/Tech]}
contestants:
  t5: {fine_tune: acme/t5-tiny, head: text_to_text, train: {per_class: 500}, seeds: [1, 2, 3]}
  xlnet: {fine_tune: acme/xlnet-tiny, max_length: 2048}
  gpt: {predictions: {path: "hf://acme/answers@main:test", prediction: label}}
  claude: {prompt: "anthropic:claude-haiku-5-5"}
gates:
"""


def test_without_a_network_made_up_rows_and_guessed_models_stand_in(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    gates = ['t5.f1["Sci/Tech"] >= 0.5', "xlnet beats gpt on accuracy", "t5.accuracy >= claude.accuracy"]
    project.suite(*gates, head=OFFLINE)
    result = project.run("--modelcompare-smoke")
    result.assert_outcomes(skipped=3)
    said = " ".join(result.stdout.str().split())
    assert "made-up rows stand in" in said
    for model in ("t5", "xlnet"):
        assert f"`acme/{model}-tiny` cannot be fetched here: a small random model stands in" in said
    assert "t5: smoke" in said
    assert not list((project.pytester.path / ".modelcompare").glob("runs/*"))


def test_what_would_stop_the_real_run_is_an_error(project: Project):
    head = OFFLINE.replace("hf://acme/news@main:train", "train.csv").replace("hf://acme/news@main:test", "test.csv")
    project.suite("lost.accuracy >= 0.5", head=head.replace(", labels: [World, Sports, Sci/Tech]", "").replace(
        "  claude:", "  lost: {fine_tune: ./nowhere}\n  claude:"
    ))  # fmt: skip
    result = project.run("--modelcompare-smoke")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no such model folder*"])
