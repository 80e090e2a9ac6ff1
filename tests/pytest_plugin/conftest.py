"""A project with a small suite: TF-IDF against recorded answers, a second to run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.forked import run_pytest

WITHOUT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""Plugins that a run here has no use for; the second takes a second to import."""

SPAM = [
    "win a free prize",
    "cheap pills for you",
    "claim your reward today",
    "free money waiting",
    "you won the lottery",
]
HAM = [
    "see you at lunch",
    "the meeting moved to four",
    "thanks for the notes",
    "are you home yet",
    "call me after work",
]

SUITE = """\
modelcompare: 1
name: Spam
data: {train: train.csv, test: test.csv}
contestants:
  words: {tfidf: {}}
  llm: {predictions: answers.csv}
gates:
"""


@dataclass
class Project:
    """A pytester project with data and a suite."""

    pytester: pytest.Pytester

    def suite(self, *gates: str, name: str = "spam", head: str = SUITE) -> Path:
        path = self.pytester.path / f"{name}.modelcompare.yaml"
        path.write_text(head + "".join(f"  - {gate}\n" for gate in gates), encoding="utf-8")
        return path

    def run(self, *arguments: str) -> pytest.RunResult:
        return run_pytest(self.pytester, "--modelcompare", *WITHOUT, *arguments)

    def run_anew(self, *arguments: str) -> pytest.RunResult:
        """In a new process, for what a run imports."""
        return self.pytester.runpytest_subprocess("--modelcompare", *WITHOUT, *arguments)


def rows(texts: list[str], label: str, start: int, count: int) -> list[tuple[str, str]]:
    return [
        (f"{texts[number % 5]} {'abcdefghij'[number % 10]}{number}", label) for number in range(start, start + count)
    ]


def write(path: Path, header: Sequence[str], lines: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([tuple(header), *lines])


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    return small_project(pytester)


def small_project(pytester: pytest.Pytester) -> Project:
    """200 training and 200 test rows; the recorded answers are right on 180 of them."""
    write(pytester.path / "train.csv", ["text", "label"], [*rows(SPAM, "spam", 0, 100), *rows(HAM, "ham", 0, 100)])
    test = [*rows(SPAM, "spam", 100, 100), *rows(HAM, "ham", 100, 100)]
    write(pytester.path / "test.csv", ["text", "label"], test)
    answers = [(text, label if number % 5 else "ham") for number, (text, label) in enumerate(test)]
    write(pytester.path / "answers.csv", ["text", "prediction"], answers)
    return Project(pytester)
