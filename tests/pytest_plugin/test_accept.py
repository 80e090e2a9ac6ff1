"""`--modelcompare-accept` and `does not regress`, as somebody uses them over a few commits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pytest_plugin.conftest import HAM, SPAM, Project, rows, write

HOLDS = "llm does not regress on accuracy"
RECORD = "spam.accepted.json"


def answer(project: Project, every: int, *, start: int = 100) -> None:
    """The recorded answers say ham on every so-manieth spam row."""
    test = [*rows(SPAM, "spam", start, 100), *rows(HAM, "ham", start, 100)]
    write(project.pytester.path / "test.csv", ["text", "label"], test)
    lines = [(text, label if number % every else "ham") for number, (text, label) in enumerate(test)]
    write(project.pytester.path / "answers.csv", ["text", "prediction"], lines)


def record(project: Project) -> dict[str, object]:
    found: dict[str, object] = json.loads((project.pytester.path / RECORD).read_text())
    return found


def test_nothing_accepted_is_an_error_and_accepting_mends_it(project: Project):
    project.suite(HOLDS)
    before = project.run()
    before.assert_outcomes(errors=1)
    before.stdout.fnmatch_lines(["*nothing was accepted yet for llm.accuracy*", "*--modelcompare-accept*"])
    accepted = project.run("--modelcompare-accept")
    accepted.assert_outcomes(passed=1)
    accepted.stdout.fnmatch_lines([f"*accepted in {RECORD}; commit it with the suite*"])
    after = project.run()
    after.assert_outcomes(passed=1)
    after.stdout.fnmatch_lines(["*0.900, accepted 0.900 on *; identical answers on identical*"])


def test_a_worse_model_turns_the_build_red_until_it_is_accepted(project: Project):
    project.suite(HOLDS)
    project.run("--modelcompare-accept").assert_outcomes(passed=1)
    answer(project, every=2)
    worse = project.run()
    worse.assert_outcomes(failed=1)
    worse.stdout.fnmatch_lines(["*0.750, accepted 0.900 on *: -0.150 (*"])
    taken = project.run("--modelcompare-accept")
    taken.assert_outcomes(passed=1)
    taken.stdout.fnmatch_lines(["*accepted as the new baseline; before: FAIL, 0.750*"])
    drifted = project.run()
    drifted.assert_outcomes(passed=1)
    drifted.stdout.fnmatch_lines(["*since the*first baseline*-0.150*"])


def test_changed_rows_are_compared_unpaired(project: Project):
    project.suite(HOLDS)
    project.run("--modelcompare-accept").assert_outcomes(passed=1)
    answer(project, every=2, start=300)
    result = project.run("--modelcompare-report=r.json")
    result.assert_outcomes(failed=1)
    (gate,) = json.loads((project.pytester.path / "r.json").read_text())["suites"][0]["gates"]
    assert gate["unpaired"] is True
    assert gate["against"]["same_rows"] is False
    assert "the test rows changed since" in gate["message"]


def test_entries_of_gates_that_were_not_selected_are_kept(project: Project):
    project.suite(HOLDS, "words does not regress on auroc within 0.05")
    project.run("--modelcompare-accept").assert_outcomes(passed=2)
    first = record(project)
    answer(project, every=4)
    project.run("--modelcompare-accept", "-k", "llm").assert_outcomes(passed=1, deselected=1)
    second = record(project)
    assert first["entries"]["words.auroc"] == second["entries"]["words.auroc"]  # type: ignore[index]
    assert second["entries"]["llm.accuracy"]["times"] == 2  # type: ignore[index]
    assert (
        second["entries"]["llm.accuracy"]["first"] == first["entries"]["llm.accuracy"]["first"]  # type: ignore[index]
    )


def test_accepting_under_xdist_writes_one_whole_record(project: Project):
    project.suite(HOLDS, "words does not regress on accuracy", "words does not regress on f1")
    project.run("--modelcompare-accept", "-n", "2").assert_outcomes(passed=3)
    assert set(record(project)["entries"]) == {"llm.accuracy", "words.accuracy", "words.f1"}  # type: ignore[call-overload]
    assert not list(project.pytester.path.glob("*.unfinished"))
    project.run().assert_outcomes(passed=3)


def test_accepting_without_such_a_gate_says_so(project: Project):
    project.suite("llm.accuracy >= 0.8")
    result = project.run("--modelcompare-accept")
    result.stdout.fnmatch_lines(["*no selected gate says `does not regress`*"])
    assert not (project.pytester.path / RECORD).exists()


@pytest.mark.parametrize("option", ["--modelcompare-smoke", "--modelcompare-plan"])
def test_what_is_not_judged_is_not_accepted(project: Project, option: str):
    project.suite(HOLDS)
    result = project.run("--modelcompare-accept", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert not (project.pytester.path / RECORD).exists()


def test_a_broken_record_is_an_error_and_stays(project: Project):
    project.suite(HOLDS)
    path: Path = project.pytester.path / RECORD
    path.write_text("<<<<<<< HEAD\n")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*this is no accepted record*", "*restore it from git*"])
    project.run("--modelcompare-accept").assert_outcomes(errors=1)
    assert path.read_text() == "<<<<<<< HEAD\n"


REGRESSES = """
def test_it_does_not_regress(modelcompare):
    llm = modelcompare("spam.modelcompare.yaml")["llm"]
    assert llm.does_not_regress(on="accuracy", within=0.05)
"""


def test_a_python_test_asks_whether_what_was_accepted_still_holds(project: Project):
    project.suite(HOLDS)
    project.run("--modelcompare-accept").assert_outcomes(passed=1)
    project.pytester.makepyfile(test_python=REGRESSES)
    project.run("-k", "test_it_does").assert_outcomes(passed=1, deselected=1)
    answer(project, every=2)
    worse = project.run("-k", "test_it_does")
    worse.assert_outcomes(failed=1, deselected=1)
    worse.stdout.fnmatch_lines(["*llm does not regress on accuracy within 0.05  FAIL  0.750, accepted 0.900*"])
