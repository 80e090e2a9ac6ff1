"""What is wrong is an error that says where and what to do: no traceback of ours, exit status not 0."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.pytest_plugin.conftest import SUITE, Project, write
from tests.records.test_printable import commands

GOOD = "words.accuracy >= 0.5"

CASES = {
    "missing file": (("train: train.csv", "train: trian.csv"), GOOD, "*trian.csv: no such file*"),
    "missing column": (("test: test.csv", "test: test.csv, text: body"), GOOD, "*no column `body`*"),
    "wrong digest": (
        ("test: test.csv", f"test: {{path: test.csv, sha256: {'a' * 64}}}"),
        GOOD,
        "*the content has changed*",
    ),
    "missing model": (("words: {tfidf: {}}", "words: {linear_probe: ./nowhere}"), GOOD, "*nowhere*"),
    "missing package": (
        ("words: {tfidf: {}}", 'words: {linear_probe: "package:no_such_package/model"}'),
        GOOD,
        "*no_such_package*",
    ),
    "unknown label": (("", ""), "words.f1[eggs] >= 0.5", "*no label `eggs`*the labels are ham, spam*"),
    "no compute": (("", ""), "words.cost_per_1k <= 1", "*words has no cost*compute: {price_per_hour*"),
    "no tokens": (("", ""), "llm.cost_per_1k <= 1", "*llm has no cost*no columns with token counts*"),
    "no scores": (("", ""), "llm.brier <= 1", "*llm gives no scores*"),
    "recorded answers of other rows": (
        ("predictions: answers.csv", "predictions: {path: train.csv, prediction: label}"),
        "llm.accuracy >= 0",
        "*200 match no answer*",
    ),
    "too few answers": (
        ("predictions: answers.csv", "predictions: {path: train.csv, prediction: label}, missing: wrong"),
        "words beats llm on accuracy",
        "*llm answered only 0.0% of the rows*",
    ),
    "url without digest": (("test: test.csv", 'test: "https://host.invalid/t.csv"'), GOOD, "*needs the sha256*"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_an_error_in_words(project: Project, name: str):
    change, gate, words = CASES[name]
    assert change[0] in SUITE
    project.suite(gate, head=SUITE.replace(*change, 1) if change[0] else SUITE)
    result = project.run()
    result.assert_outcomes(errors=1)
    shown = " ".join(result.stdout.str().split())
    assert all(part in shown for part in words.strip("*").split("*")), result.stdout.str()
    assert "Traceback" not in shown
    assert "pytest_modelcompare/" not in shown
    assert result.ret == 1


def test_a_broken_suite_is_a_collection_error(project: Project):
    project.suite("words.acuracy >= 0.5")
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["spam.modelcompare.yaml:8:11: unknown metric `acuracy`", "*did you mean `accuracy`?"])


def test_a_full_disk_while_a_run_is_written_leaves_nothing_half_written(project: Project):
    project.suite(GOOD)
    project.pytester.makeconftest(
        """
        import numpy
        def full(*_, **__): raise OSError(28, "No space left on device")
        numpy.savez = full
        """
    )
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the store cannot be used: No space left on device*"])
    assert not list((project.pytester.path / ".modelcompare" / "runs").glob("*/*"))


def test_no_training_is_started_after_the_budgeted_minutes(project: Project):
    project.suite(GOOD, head=SUITE.replace("name: Spam", "name: Spam\nbudget: {minutes: 0.0000001}"))
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*minutes are used up*"])


def test_no_line_of_a_run_on_hostile_data_is_a_command_to_a_ci(project: Project):
    evil = "::error::hacked ##[group]x ##vso[task.complete]y"
    texts = [f"{evil} {word} {number}" for number in range(40) for word in ("ham", "spam")]
    lines = [(text, evil if "spam" in text else "::stop-commands::z") for text in texts]
    for name in ("train", "test"):
        write(project.pytester.path / f"{name}.csv", ["text", "label"], lines)
    write(project.pytester.path / "answers.csv", ["text", "prediction"], [(text, evil) for text in texts])
    head = SUITE.replace("name: Spam", f"name: '{evil}'").replace("test.csv}", "test.csv, leakage: 1}")
    project.suite("words.accuracy >= 0.99", f"'llm.f1[\"{evil}\"] >= 0.9'", "llm.auroc >= 0.5", head=head)
    ways = [(), ("-v",), ("-n", "2"), ("--modelcompare-plan",), ("--modelcompare-report=r.md",)]
    printed = [project.run(*way).stdout.str() for way in ways]
    for command in (["check"], ["power"], ["history"]):
        found = project.pytester.run(Path(sys.executable).with_name("modelcompare"), *command, "spam.modelcompare.yaml")
        printed.append(found.stdout.str() + found.stderr.str())
    assert "hacked" in "".join(printed)
    for log in printed:
        assert commands(log) == []


def test_a_run_whose_digits_were_changed_is_told_and_trained_anew(project: Project):
    project.suite("words.accuracy >= 0.5")
    project.run().assert_outcomes(passed=1)
    for facts in (project.pytester.path / ".modelcompare" / "runs").glob("*/*/run.json"):
        facts.write_text(facts.read_text().replace('"train_seconds": ', '"train_seconds": 1'))
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*a stored run is damaged: run.json is not what was*", "*this session: 1 training*"])
    project.run().stdout.no_fnmatch_line("*damaged*")


def test_a_model_whose_file_was_changed_is_trained_anew_before_it_is_timed(project: Project):
    project.suite("words.accuracy >= 0.5")
    project.run().assert_outcomes(passed=1)
    root = project.pytester.path / ".modelcompare"
    models = [path for path in root.glob("runs/*/*/model/*") if path.is_file()]
    assert models
    for path in models:
        path.write_bytes(path.read_bytes()[:-1])
    for timing in (root / "timings").glob("*.json"):
        timing.unlink()
    project.suite("words.latency_p95_ms <= 1000")
    result = project.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*a stored run is damaged: model/*"])
