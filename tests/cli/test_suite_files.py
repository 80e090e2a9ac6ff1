"""Commands take files, folders, and nothing for the current folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_modelcompare.cli import main
from pytest_modelcompare.cli.suite_files import suite_files
from pytest_modelcompare.errors import SuiteError

SUITE = "modelcompare: 1\ndata: {train: t.csv, test: t.csv, leakage: 1}\ncontestants: {w: {tfidf: {}}}\ngates: [w.f1 >= 0.5]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "a.modelcompare.yaml",
        "deep/b.modelcompare.yml",
        ".hidden/c.modelcompare.yaml",
        "build/d.modelcompare.yaml",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SUITE)
        (path.parent / "t.csv").write_text("text,label\n" + "".join(f"aa {n},x\nbb {n},y\n" for n in range(30)))
    return tmp_path


def test_below_a_folder_stand_the_suites_that_pytest_would_collect(folder: Path):
    found = [str(Path("a.modelcompare.yaml")), str(Path("deep/b.modelcompare.yml"))]
    assert [str(Path(name)) for name in suite_files([])] == found
    assert suite_files(["deep", "deep/b.modelcompare.yml"]) == ["deep/b.modelcompare.yml"]
    assert suite_files(["nowhere.yaml"]) == ["nowhere.yaml"]  # the command says that it cannot be read


def test_a_folder_without_suites_is_said(folder: Path):
    (folder / "empty").mkdir()
    with pytest.raises(SuiteError, match=r"no suite: their names are \*.modelcompare.yaml and"):
        suite_files(["empty"])


@pytest.mark.parametrize("command", ["check", "plan", "power"])
def test_commands_are_about_every_suite_of_this_folder(folder: Path, capsys: pytest.CaptureFixture[str], command: str):
    assert main([command]) == 0
    named, here = capsys.readouterr().out, main([command, "a.modelcompare.yaml", "deep/b.modelcompare.yml"])
    assert here == 0
    out = capsys.readouterr().out
    assert named.count("\n") == out.count("\n") > 1


@pytest.mark.parametrize("command", ["history", "recommend"])
def test_commands_on_results_name_every_suite_without_any(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
):
    assert main([command]) == 1
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert "a" in said
    assert said.count("session") >= 2 or said.count("measured") >= 2 or said.count("run ") >= 2


def test_an_empty_folder_ends_every_command(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "empty").mkdir()
    assert main(["check", "empty"]) == 1
    assert "no suite" in capsys.readouterr().err
