"""`modelcompare answers export | import`: stored answers as a recording beside the suite, and back."""

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
from pytest_modelcompare.store.recordings import read_recording
from pytest_modelcompare.suite.load import load_suite
from tests.cli.test_answers import a_suite
from tests.llm.anthropic_server import KEY, serving


def ask(path: Path, store: Path, mode: str = "auto") -> int:
    """Calls that it took."""
    suite = load_suite(path)
    settings = suite.contestants["claude"].settings
    assert isinstance(settings, PromptSettings)
    dataset = load_dataset(suite.data, path.parent, store)
    options = LLMOptions(mode, 1.0, f"{mode} {store.name}")  # type: ignore[arg-type]
    return conversation(settings, dataset, AnswerJournal(StoreFolders(store)), path.parent).run(options).calls


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite of two rows, each asked for a label and for probabilities."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with serving(lambda *_: "ham") as server:
        path = a_suite(tmp_path, server.url)
        assert ask(path, tmp_path / "store") == 4
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    return path


def answers(*arguments: str, store: Path) -> int:
    return main(["answers", *arguments, "--store", str(store)])


def test_what_is_exported_is_imported_into_another_store(asked: Path, capsys: pytest.CaptureFixture[str]):
    folder, file = asked.parent, asked.parent / "a.jsonl.gz"
    assert answers("export", str(asked), "claude", str(file), store=folder / "store") == 0
    assert answers("import", str(file), store=folder / "other") == 0
    assert answers("import", str(file), store=folder / "other") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[2] for line in said] == [
        "4 of 4 answers",
        "4 answers taken over, 0 were there",
        "0 answers taken over, 4 were there",
    ]
    assert ask(asked, folder / "other", "replay") == 0


def test_lines_stand_in_the_order_of_the_rows_and_bytes_do_not_change(asked: Path):
    folder = asked.parent
    files = [folder / "a.jsonl.gz", folder / "b.jsonl.gz"]
    for file in files:
        assert answers("export", str(asked), "claude", str(file), store=folder / "store") == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    found = read_recording(files[0])
    assert found is not None
    assert [record["row"] for record in found.values()] == ["x7", "x7", "x8", "x8"]


def test_the_contestants_own_recording_is_the_default_and_what_is_missing_is_counted(
    asked: Path, capsys: pytest.CaptureFixture[str]
):
    folder = asked.parent
    asked.write_text(asked.read_text().replace("shots: 1", "shots: 1, recording: mine.jsonl"))
    with (folder / "test.csv").open("a") as file:
        file.write("x9,quite new,ham\n")
    assert answers("export", str(asked), "claude", store=folder / "store") == 0
    assert capsys.readouterr().out == f"{folder / 'mine.jsonl'}: 4 of 6 answers, 2 missing\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "SUITE", "claude"], "`claude` names no `recording`"),
        (["export", "SUITE", "claude", "a.csv"], "a recording is a .jsonl or .jsonl.gz file, not `a.csv`"),
        (["export", "SUITE", "words", "a.jsonl"], "`words` is not prompted"),
        (["export", "SUITE", "claude", "a.jsonl"], "the store holds none of the 4 answers of `claude`"),
        (["import", "none.jsonl"], "there is no such recording"),
    ],
)
def test_what_cannot_be_done_says_why(
    asked: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
):
    arguments = [str(asked) if one == "SUITE" else one for one in arguments]
    assert answers(*arguments, store=asked.parent / "empty") == 1
    assert words in capsys.readouterr().err
