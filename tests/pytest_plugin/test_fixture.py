"""The fixture `modelcompare` and suites built in Python."""

from __future__ import annotations

from tests.pytest_plugin.conftest import SUITE, Project

TESTS = """
import pytest
from pytest_modelcompare import compare

def test_holds(modelcompare):
    spam = modelcompare("spam.modelcompare.yaml")
    assert spam["words"].accuracy >= 0.90
    assert spam["words"].beats("llm", on="accuracy", by=0.02)
    assert spam["words"].f1["spam"] > 0.5
    assert spam["words"].latency_p95_ms <= 1000

def test_does_not_hold(modelcompare):
    assert modelcompare("spam.modelcompare.yaml")["llm"].accuracy >= 0.99

def test_not_undecided(modelcompare):
    assert not (modelcompare("spam.modelcompare.yaml")["llm"].accuracy >= 0.89)

def test_in_python(modelcompare):
    suite = compare(data={"train": "train.csv", "test": "test.csv"}, contestants={"words": {"tfidf": {}}, "llm": {"predictions": "answers.csv"}})
    found = modelcompare(suite)
    assert found["words"].accuracy - found["llm"].accuracy > 0.02
"""


def test_verdicts_in_python_tests(project: Project):
    project.suite(head=SUITE.replace("gates:", "gates: []"))
    project.pytester.makepyfile(TESTS)
    result = project.run("-v")
    result.assert_outcomes(passed=3, failed=2)  # one of them is the table
    result.stdout.fnmatch_lines(
        [
            "*test_holds*",
            "*test_does_not_hold FAILED*",
            "*test_not_undecided FAILED*",
            "*test_in_python PASSED*",
            "*assert llm.accuracy >= 0.99  FAIL  0.900 (*short by 0.090*",
            "*AssertionError: llm.accuracy >= 0.89  UNDECIDED*",
        ]
    )


def test_without_the_switch_such_a_test_is_skipped(project: Project):
    project.pytester.makepyfile(TESTS)
    project.pytester.runpytest_subprocess().assert_outcomes(skipped=4)
