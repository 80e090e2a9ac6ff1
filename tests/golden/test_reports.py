"""Every report of suites whose figures are the same everywhere: recorded answers, and what is free beside them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.golden.golden import as_text, holds, rounded, without_times
from tests.pytest_plugin.conftest import Project, write
from tests.pytest_plugin.conftest import project as project

N = 240
SUITE = """\
modelcompare: 1
name: Golden
data: {train: train.csv, test: test.csv, label: kind, group: customer, id: number}
references: false
prices: {"openai:big": {input: 2.0, output: 8.0}}
contestants:
  good: {predictions: good.csv}
  fair: {predictions: {path: fair.csv, prediction: said}, model: "openai:big"}
  poor: {predictions: poor.csv, missing: wrong}
  chatty: {predictions: chatty.csv, read: lenient}
  paper: {published: {accuracy: 0.93}, n: 240, source: "a paper, table 2"}
gates:
  - good.accuracy >= 0.8
  - good.accuracy >= 0.999
  - good beats poor on accuracy by 0.05
  - fair matches good on f1 within 0.2
  - fair.accuracy >= 0.85
  - chatty.coverage >= 0.9
  - fair.cost_per_1k <= 1
  - poor.auroc >= 0.5
  - good.f1["bill"] >= 0.5
  - {gate: good.accuracy >= 0.5, slice: {language: de}, name: in-german}
  - {gate: fair.accuracy >= 0.7, decide: point}
  - any_of: [poor beats good on accuracy, good beats poor on accuracy]
"""
KINDS = ("bill", "order", "return")
OF_THIS_MACHINE = frozenset(
    {"machine", "device", "versions", "runs", "answers", "digest", "test_digest", "train_seconds", "date", "path"}
)
"""Keys of report.json."""


@pytest.fixture
def golden(project: Project) -> Project:
    """240 test rows of three kinds, of 60 customers; four recordings, each with its own mistakes."""
    folder, header = project.pytester.path, ["number", "customer", "language", "text", "kind"]
    every = [
        (
            str(row),
            str(row // 4),
            "de" if row % 5 else "en",
            f"the {KINDS[row % 3]} of day {row} is wrong",
            KINDS[row % 3],
        )
        for row in range(2 * N)
    ]
    write(folder / "train.csv", header, every[N:])
    write(folder / "test.csv", header, every[:N])

    def other(row: int, wrong_every: int) -> str:
        return KINDS[(row + 1) % 3] if row % wrong_every == 0 else KINDS[row % 3]

    write(folder / "good.csv", ["number", "prediction"], [(str(row), other(row, 17)) for row in range(N)])
    lines = [(str(row), other(row, 8), "120", "9") for row in range(N)]
    write(folder / "fair.csv", ["number", "said", "input_tokens", "output_tokens"], lines)
    write(folder / "poor.csv", ["number", "prediction"], [(str(row), other(row, 3)) for row in range(N - 6)])
    said = [(str(row), f"The label is **{other(row, 9)}**." if row % 11 else "no idea") for row in range(N)]
    write(folder / "chatty.csv", ["number", "prediction"], said)
    project.suite(name="golden", head=SUITE)
    return project


def summary(output: str, folder: Path) -> str:
    """What stands between pytest's own lines."""
    found = re.search(r"^=+ modelcompare =+\n(.*?)^=+ ", output, re.MULTILINE | re.DOTALL)
    assert found is not None, output
    return without_times(found[1], folder)


@pytest.mark.parametrize("width", [80, 160])
def test_the_terminal_says_what_it_said(golden: Project, monkeypatch: pytest.MonkeyPatch, width: int):
    monkeypatch.setenv("COLUMNS", str(width))
    result = golden.run("-v")
    assert holds(f"terminal_{width}.txt", summary(result.stdout.str(), golden.pytester.path))


def test_the_other_reports_say_what_they_said(golden: Project):
    folder = golden.pytester.path
    golden.run(*(f"--modelcompare-report=r.{kind}" for kind in ("json", "md", "html")))
    report = rounded(json.loads((folder / "r.json").read_text()), OF_THIS_MACHINE)
    assert holds("report.json", without_times(as_text(report), folder))
    assert holds("report.md", without_times((folder / "r.md").read_text(), folder))
    page = re.sub(r"<script>.*?</script>", "<script></script>", (folder / "r.html").read_text(), flags=re.DOTALL)
    page = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    page = re.sub(r"<dt>(machine|written|python)</dt><dd>.*?</dd>", r"<dt>\1</dt><dd></dd>", page)
    assert holds("report.html", without_times(page, folder))


def test_the_plan_says_what_it_said(golden: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    result = golden.run("--modelcompare-plan")
    assert holds("plan.txt", summary(result.stdout.str(), golden.pytester.path))


def test_a_smoke_run_says_what_it_said(golden: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "100")
    result = golden.run("--modelcompare-smoke")
    assert holds("smoke.txt", summary(result.stdout.str(), golden.pytester.path))
