"""`modelcompare power`, and the same table in the plan."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_modelcompare.cli import main
from pytest_modelcompare.gates.power_facts import GatePower
from pytest_modelcompare.reports.power_table import power_lines

SUITE = """\
modelcompare: 1
name: Spam
data: {train: train.csv, test: test.csv, label: label, group: sender}
contestants:
  words: {tfidf: {}}
  llm: {predictions: answers-that-nobody-has-yet.csv}
gates:
  - {gate: words.accuracy >= 0.7, expect: 0.9}
  - {gate: words beats llm on accuracy, expect: 0.2}
  - words.recall[spam] >= 0.8
  - words.cost_per_1k <= 0.01
  - {gate: words.accuracy >= 0.5, slice: {length: shot}, name: sliced}
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """40 test rows, half of them spam, of 40 senders."""
    for name in ("train", "test"):
        rows = [f"{name} text number {number},{('ham', 'spam')[number % 2]},s{number}" for number in range(40)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,label,sender", *rows]))
    (tmp_path / "s.modelcompare.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "s.modelcompare.yaml"


def test_power_prints_every_gate_from_the_data_alone(suite: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["power", str(suite)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Spam: 40 test rows, 2 labels, 5 gates" in said
    assert "words.accuracy >= 0.7 40 rows" in said
    assert "if the true accuracy is 0.900" in said
    assert "words.recall[spam] >= 0.8 20 rows" in said
    assert "not planned: measured or exact" in said
    assert "can never pass, it is an error: no test row has `shot`" in said
    assert "all 3 gates with a power pass in 0 % if independent" in said
    assert "2 gates without one left out" in said
    assert not (suite.parent / ".modelcompare").exists()


def test_discordance_is_an_option(suite: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["power", "--discordance", "0.4", str(suite)]) == 0
    assert "40 % of rows" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        main(["power", "--discordance", "15", str(suite)])


def test_bad_suites_and_bad_data_are_told_in_their_own_words(suite: Path, capsys: pytest.CaptureFixture[str]):
    other = suite.with_name("other.modelcompare.yaml")
    other.write_text(SUITE.replace("0.7", "70"))
    (suite.parent / "test.csv").unlink()
    assert main(["power", str(other), str(suite)]) == 1
    said = capsys.readouterr().err
    assert "lies between 0 and 1" in said
    assert "test.csv" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_the_table_fits_its_width_whatever_the_labels(width: int):
    long = "words.f1[a_label_whose_name_is_longer_than_any_terminal_is_wide_" + "x" * 60 + "] >= 0.8"
    text = "80 % power needs a true f1 of 0.9; " * 5
    powers = [
        GatePower(long, 40, None, 0.9, text),
        GatePower("b.accuracy >= 0.9", 3080, 0.8, 0.9, text, "careful " * 20),
    ]
    lines = power_lines(powers, width)
    assert max(map(len, lines)) <= width
    assert "".join(long.split()) in "".join("".join(lines).split())


def test_where_there_is_room_words_stand_beside_their_gate():
    powers = [GatePower("a.accuracy >= 0.9", 3080, 0.8, 0.9, "if the true accuracy is 0.920")]
    assert power_lines(powers, 120)[1] == "  a.accuracy >= 0.9  3,080 rows   80 %  if the true accuracy is 0.920"
    assert power_lines(powers, 60)[1:3] == [
        "  a.accuracy >= 0.9",
        "      3,080 rows   80 %  if the true accuracy is 0.920",
    ]


def test_near_certainty_is_not_rounded_to_it():
    shown = [power_lines([GatePower("g", 1, power, None, "")], 80)[1] for power in (0.999, 1.0, 0.001, 0.0)]
    assert [line.split("rows")[1].strip() for line in shown] == [">99 %", "100 %", "<1 %", "0 %"]


def test_the_plan_prints_the_power_of_the_selected_gates(suite: Path, pytester: pytest.Pytester):
    for path in suite.parent.iterdir():
        (pytester.path / path.name).write_bytes(path.read_bytes())
    result = pytester.runpytest_subprocess(
        "--modelcompare", "--modelcompare-plan", "-p", "no:cacheprovider", "-k", "recall or beats"
    )
    result.stdout.fnmatch_lines(["*words beats llm on accuracy*", "*words.recall?spam? >= 0.8*", "*nothing was run*"])
    result.stdout.no_fnmatch_line("*words.accuracy >= 0.7*")


def test_power_loads_no_heavy_library(suite: Path):
    code = f"import sys\nfrom pytest_modelcompare.cli import main\nmain(['power', {str(suite)!r}])\nprint({{'torch', 'sklearn', 'transformers', 'anthropic', 'scipy.stats', 'pandas'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("set()")
