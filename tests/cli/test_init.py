"""`modelcompare init`: a suite that loads and runs, out of a file."""

from __future__ import annotations

import csv
from argparse import Namespace
from pathlib import Path

import pytest

from pytest_modelcompare.cli import main
from pytest_modelcompare.cli.init import init
from pytest_modelcompare.data.rows import load_dataset
from pytest_modelcompare.data.text_table import Table
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.suite.columns import label_column, text_column
from pytest_modelcompare.suite.load import load_suite
from tests.pytest_plugin.conftest import Project
from tests.pytest_plugin.conftest import project as project


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """mails.csv: an id, a text, a flag with two values, a kind with three."""
    monkeypatch.chdir(tmp_path)
    kinds = ("bill", "order", "return")
    rows = [(n, f"my {kinds[n % 3]} of day {n} is wrong", kinds[n % 3], n % 2) for n in range(60)]
    with Path("mails.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("number", "body", "kind", "label"), *rows])
    return tmp_path


def options(**given: str) -> Namespace:
    return Namespace(
        **{name: given.get(name) for name in ("data", "text", "label", "columns", "test", "llm", "output")}
    )


def test_the_longest_texts_are_the_text_and_few_values_the_label():
    table = Table(
        {"id": list("abcdef"), "body": ["long text"] * 6, "kind": list("xxyyzz"), "flag": list("ababab")}, "t"
    )
    assert text_column(table) == "body"
    assert label_column(table, "body") == "flag"  # two values, fewer than three
    named = Table({**table.columns, "Category": list("uuvvww")}, "t")
    assert label_column(named, "body") == "Category"  # its name says so
    assert label_column(Table({"body": ["a", "b"], "id": ["1", "2"]}, "t"), "body") is None


def test_a_suite_is_written_loads_and_splits_the_file(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", "--data", "mails.csv", "--label", "kind"]) == 0
    suite = load_suite(folder / "mails.modelcompare.yaml")
    assert (suite.data.text, suite.data.label) == ("body", "kind")
    assert suite.data.split is not None
    assert "words" in suite.contestants
    said = capsys.readouterr().out
    assert "text: body, label: kind; 48 training rows, 12 test rows, 3 labels" in said
    assert "pytest --modelcompare mails.modelcompare.yaml" in said


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]):
    Path("mails.modelcompare.yaml").write_text("mine")
    assert main(["init", "--data", "mails.csv", "--label", "kind"]) == 1
    assert Path("mails.modelcompare.yaml").read_text() == "mine"
    assert "there is such a file already" in capsys.readouterr().err


def test_an_llm_comes_with_a_budget_and_a_gate_that_asks_the_question(folder: Path):
    init(
        options(data="mails.csv", label="kind", llm="anthropic:claude-haiku-5-5", output="s/x.modelcompare.yaml"), None
    )
    suite = load_suite(folder / "s" / "x.modelcompare.yaml")
    assert suite.contestants["llm"].method == "prompt"
    assert suite.budget is not None
    assert any("matches llm on accuracy" in gate.text for gate in suite.gates)
    assert suite.data.train == "../mails.csv"


def test_on_a_terminal_what_is_missing_is_asked_for(folder: Path):
    asked = []

    def ask(question: str, default: str) -> str:
        asked.append((question.partition(" with")[0], default))
        said = {"file with texts": "mails.csv", "column with the label": "kind"}
        return next((answer for start, answer in said.items() if question.startswith(start)), default)

    path, _ = init(options(), ask)
    assert [question for question, _ in asked][:3] == ["file", "column", "column"]
    assert asked[1][1] == "body"
    assert load_suite(folder / path).data.label == "kind"


def test_without_a_terminal_the_missing_option_is_named(folder: Path):
    with pytest.raises(DataError, match="say it with --data"):
        init(options(), None)


def test_a_file_separated_by_semicolons_is_read_and_its_suite_says_so(folder: Path):
    lines = Path("mails.csv").read_text().replace(",", ";")
    Path("semi.csv").write_text(lines)
    path, _ = init(options(data="semi.csv", label="kind"), None)
    assert 'separator: ";"' in path.read_text()
    assert load_suite(folder / path).data.text == "body"


def test_a_file_without_a_header_is_read_by_the_names_given(folder: Path):
    Path("bare.csv").write_text(Path("mails.csv").read_text().partition("\n")[2])
    path, _ = init(options(data="bare.csv", columns="number,body,kind,flag", label="kind"), None)
    data = load_suite(folder / path).data
    assert (data.text, data.label) == ("body", "kind")
    assert load_dataset(data, folder, folder).labels == ("bill", "order", "return")


def test_where_no_column_looks_like_a_label_all_are_named(folder: Path):
    Path("ids.csv").write_text("text,number\n" + "".join(f"text {row},{row}\n" for row in range(9)))
    with pytest.raises(DataError, match="say which one it is with --label; there are `text`, `number`"):
        init(options(data="ids.csv"), None)


def test_a_file_that_is_not_there_is_said_where_one_is(folder: Path):
    with pytest.raises(DataError, match=r"no\.csv: there is no such file\n  the path starts where you are now"):
        init(options(data="no.csv"), None)


def test_too_few_rows_to_split_are_no_group(folder: Path):
    Path("few.csv").write_text("text,label\na,x\nb,y\nc,x\nd,y\n")
    with pytest.raises(DataError, match="4 rows of 2 labels are too few to set 20% of each label aside"):
        init(options(data="few.csv", label="label"), None)


def test_columns_with_odd_names_survive(folder: Path):
    text = Path("mails.csv").read_text().replace("number,body,kind", 'number,"no: #1 ""x""",yes')
    Path("mails.csv").write_text(text)
    init(options(data="mails.csv", label="yes"), None)
    suite = load_suite(folder / "mails.modelcompare.yaml")
    assert (suite.data.text, suite.data.label) == ('no: #1 "x"', "yes")


def test_the_suite_runs(project: Project):
    project.pytester.chdir()
    path, _ = init(options(data="train.csv", test="test.csv"), None)
    assert load_suite(project.pytester.path / path).contestants.keys() >= {"words"}
    text = (project.pytester.path / path).read_text()
    (project.pytester.path / path).write_text("".join(line for line in text.splitlines(True) if "probe" not in line))
    project.run("-q").assert_outcomes(passed=1)
