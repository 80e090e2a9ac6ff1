"""`modelcompare answers show`: the whole prompt of a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_modelcompare.cli import main
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.llm.answering import conversation
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.folders import StoreFolders
from pytest_modelcompare.suite.load import load_suite
from tests.llm.anthropic_server import KEY, serving

SUITE = """\
modelcompare: 1
data: {{train: train.csv, test: test.csv, id: number, labels: {{ham: wanted, spam: unwanted offers}}}}
contestants:
  words: {{tfidf: {{}}}}
  claude: {{prompt: "anthropic:claude-haiku-5-5", base_url: "{url}", shots: 1, scores: stated}}
gates: [words.accuracy >= 0.5]
"""


def a_suite(folder: Path, url: str = "http://127.0.0.1:9") -> Path:
    (folder / "train.csv").write_text("number,text,label\n1,free prize,spam\n2,see you,ham\n")
    (folder / "test.csv").write_text("number,text,label\nx7,win money,spam\nx8,call me,ham\n")
    path = folder / "s.modelcompare.yaml"
    path.write_text(SUITE.format(url=url))
    return path


def show(path: Path, *arguments: str) -> int:
    return main(["answers", "show", str(path), *arguments, "--store", str(path.parent / "store")])


def test_the_whole_prompt_of_a_row_is_printed_before_anything_was_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert show(a_suite(tmp_path), "claude", "x7") == 0
    said = capsys.readouterr().out
    first, second = said.split("--- request 2 of 2, for scores alone ---")
    assert "- spam: unwanted offers" in first
    assert '--- user ---\n<text>\nfree prize\n</text>\n--- assistant ---\n{"label": "spam"}' in first
    assert "--- user ---\n<text>\nwin money\n</text>\n" in first
    assert '"enum": ["ham", "spam"]' in first
    assert "--- no stored answer ---" in first
    assert "Be calibrated" in second
    assert said.endswith("note: the first 1 training rows as shots\ntrue label: spam\n")


def test_the_stored_answer_stands_below(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(lambda text, _: "ham") as server:
        path = a_suite(tmp_path, server.url)
        suite = load_suite(path)
        settings = suite.contestants["claude"].settings
        assert isinstance(settings, PromptSettings)
        folders = StoreFolders(tmp_path / "store")
        dataset = load_dataset(suite.data, tmp_path, folders.downloads)
        conversation(settings, dataset, AnswerJournal(folders), tmp_path).run(LLMOptions("auto", 1.0, "s"))
    assert show(path, "claude", "x8") == 0
    said = capsys.readouterr().out
    assert '{"label": "ham"}\n(end_turn; ' in said
    assert "read as: ham (as asked)" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("claude", "x9"), "no test row has the id `x9`\n  ids go from `x7` to `x8`"),
        (("words", "x7"), "`words` is not prompted (tfidf)\n  prompted are claude"),
        (("gpt", "x7"), "there is no contestant `gpt`"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], words: str
):
    assert show(a_suite(tmp_path), *arguments) == 1
    assert words in capsys.readouterr().err


def test_a_local_models_prompt_is_shown_with_its_stored_probabilities(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stories_folder: Path
):
    path = a_suite(tmp_path)
    path.write_text(path.read_text().replace("claude: {", f'small: {{prompt: "local:{stories_folder}"}}\n  claude: {{'))
    assert show(path, "small", "x7") == 0
    said = capsys.readouterr().out
    assert "win money" in said
    assert "--- no stored answer ---" in said
