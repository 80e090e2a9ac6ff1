"""Each gate is a pytest item: it passes, fails, is undecided or an error, and pytest's own options work on it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.pytest_plugin.conftest import SUITE, Project

GOOD = "words.accuracy >= 0.90"
BAD = "llm.accuracy >= 0.99"


def test_what_holds_passes_and_what_does_not_fails(project: Project):
    project.suite(GOOD, BAD)
    result = project.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*_ gate llm.accuracy >= 0.99 _*", "*FAIL  0.900 (*200 rows), short by 0.090*"])
    assert result.ret == 1


def test_a_gate_that_cannot_be_judged_is_an_error_in_setup(project: Project):
    project.suite("llm.auroc >= 0.5")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*llm gives no scores, which auroc needs*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_undecided_fails_and_says_what_would_decide(project: Project):
    project.suite("llm.accuracy >= 0.89")
    result = project.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*UNDECIDED*rows like these would decide*"])


def test_one_changed_threshold_turns_the_build_red(project: Project):
    project.suite("words beats llm on accuracy by 0.02")
    assert project.run().ret == 0
    project.suite("words beats llm on accuracy by 0.2")
    assert project.run().ret == 1


def test_the_unchanged_run_trains_nothing_and_imports_no_heavy_library(project: Project):
    path = project.suite(GOOD, "words beats llm on f1")
    project.run().assert_outcomes(passed=2)
    project.pytester.makeconftest(
        """
        import sys
        def pytest_unconfigure():
            heavy = {"torch", "sklearn", "transformers", "anthropic", "pandas", "pyarrow", "datasets", "scipy.stats"}
            print("HEAVY", sorted(heavy & set(sys.modules)))
        """
    )
    result = project.run_anew("-s", path.name)
    result.stdout.fnmatch_lines(["*this session: 0 trainings, 1 run from the store*", "*HEAVY []*"])


@pytest.mark.parametrize(
    ("option", "passed"),
    [(["-k", "beats"], 1), (["-m", "nightly"], 1), (["--deselect", f"spam.modelcompare.yaml::{GOOD}"], 1)],
)
def test_a_selection_works_on_sentences(project: Project, option: list[str], passed: int):
    project.pytester.makeini("[pytest]\nmarkers = nightly\n")
    project.suite(GOOD, "{gate: words beats llm on accuracy, marks: [nightly]}")
    result = project.run(*option)
    result.assert_outcomes(passed=passed, deselected=1)
    result.stdout.fnmatch_lines(["*1 of 2 gates were selected*"])


ODD = ['words.f1["spam"] >= 0.5', "words.latency_p95_ms <= 100 / 0.5", "llm.f1[ham] > .25"]


@pytest.mark.parametrize("gate", ODD)
def test_a_node_id_selects_its_gate(project: Project, gate: str):
    project.suite(*(f"'{one}'" for one in ODD))
    result = project.run("-v", f"spam.modelcompare.yaml::{gate}")
    result.assert_outcomes(passed=1)
    assert f"spam.modelcompare.yaml::{gate} " in result.stdout.str()


def test_only_what_the_selected_gates_need_is_run(project: Project):
    project.suite(GOOD, "llm.accuracy >= 0.8")
    result = project.run("-k", "llm")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["*this session: 0 trainings, 0 runs from the store*"])


def test_last_failed_runs_what_failed(project: Project):
    project.suite(GOOD, BAD)
    project.pytester.runpytest_subprocess("--modelcompare")
    result = project.pytester.runpytest_subprocess("--modelcompare", "--lf")
    result.assert_outcomes(failed=1)


def test_exitfirst_stops_at_the_first_failure(project: Project):
    project.suite(BAD, GOOD)
    project.run("-x").assert_outcomes(failed=1)


def test_collect_only_lists_the_sentences_and_runs_nothing(project: Project):
    project.suite(GOOD)
    result = project.run("--co", "-q")
    result.stdout.fnmatch_lines([f"spam.modelcompare.yaml::{GOOD}"])
    assert not (project.pytester.path / ".modelcompare").exists()


def test_junit_carries_whole_names_and_the_figures(project: Project):
    project.suite(f"'{ODD[0]}'", GOOD)
    project.run("--junitxml=junit.xml").assert_outcomes(passed=2)
    cases = ET.parse(project.pytester.path / "junit.xml").getroot().findall(".//testcase")
    assert [case.get("name") for case in cases] == [ODD[0], GOOD]
    properties = {one.get("name") for one in cases[1].findall(".//property")}
    assert {"modelcompare_outcome", "modelcompare_value", "modelcompare_low"} <= properties


def test_junit_says_of_an_error_why_it_is_one(project: Project):
    project.suite("llm.auroc >= 0.5")
    project.run("--junitxml=junit.xml").assert_outcomes(errors=1)
    (case,) = ET.parse(project.pytester.path / "junit.xml").getroot().findall(".//testcase")
    properties = {one.get("name"): one.get("value") for one in case.findall(".//property")}
    assert properties["modelcompare_outcome"] == "error"
    assert "llm gives no scores" in str(properties["modelcompare_message"])


def test_under_xdist_the_model_is_trained_once_and_the_controller_writes_the_summary(project: Project):
    project.suite(GOOD, BAD, "words beats llm on accuracy", "words beats llm on f1")
    result = project.run("-n", "2", "--modelcompare-report=report.json")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*Spam*200 test rows*", "*this session: 1 training*"])
    runs = list((project.pytester.path / ".modelcompare" / "runs").glob("*/*"))
    assert len(runs) == 1
    report = json.loads((project.pytester.path / "report.json").read_text())
    assert len(report["suites"][0]["gates"]) == 4


def test_under_xdist_odd_names_keep_their_identity(project: Project):
    project.suite(*(f"'{one}'" for one in ODD))
    result = project.run("-n", "2", "-v")
    result.assert_outcomes(passed=3)
    for gate in ODD:
        assert f"PASSED spam.modelcompare.yaml::{gate}" in result.stdout.str()


def test_two_gates_of_one_name_are_refused(project: Project):
    project.suite(GOOD, GOOD)
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["spam.modelcompare.yaml:9:5: two gates are called*"])


def test_durations_name_the_gate(project: Project):
    project.suite(GOOD)
    project.run("--durations=1", "-vv").stdout.fnmatch_lines([f"*s setup*spam.modelcompare.yaml::{GOOD}"])


def test_gates_stand_beside_ordinary_tests(project: Project):
    project.suite(GOOD)
    project.pytester.makepyfile("def test_one(): pass")
    project.run().assert_outcomes(passed=2)


def test_leaked_data_are_an_error_of_every_gate_with_the_count(project: Project):
    project.suite(GOOD, BAD, head=project.suite().read_text().replace("test: test.csv", "test: train.csv"))
    result = project.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*200 of 200 test texts (100.0%) also stand in train*"])


NO_GATES = SUITE.replace("gates:\n", "gates: []\n")


@pytest.mark.parametrize("how", [(), ("-n", "2")])
def test_a_suite_with_an_empty_list_of_gates_is_one_test_that_shows_its_table(project: Project, how: tuple[str, ...]):
    project.suite(head=NO_GATES)
    result = project.run(*how)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["Spam *", "words *1.00 *", "llm *.90 *"])
    project.run("--co", "-q").stdout.fnmatch_lines(["spam.modelcompare.yaml::table"])


def test_a_table_that_lacks_a_contestant_is_an_error(project: Project):
    project.suite(head=NO_GATES)
    (project.pytester.path / "answers.csv").unlink()
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*answers.csv*"])


def test_a_suite_that_lost_its_gates_turns_the_build_red_beside_ordinary_tests(project: Project):
    project.suite(head=SUITE.replace("gates:\n", ""))
    project.pytester.makepyfile("def test_one(): pass")
    result = project.run()
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*the suite has no gates*"])


def test_the_plan_of_a_suite_without_gates_is_everything(project: Project):
    project.suite(head=NO_GATES)
    project.run("--modelcompare-plan").stdout.fnmatch_lines(["*words *new *train (tfidf)*"])
    project.run("--modelcompare-smoke").assert_outcomes(skipped=1)


def test_after_the_last_failure_that_pytest_takes_nothing_more_is_trained(project: Project):
    head = SUITE.replace("contestants:", "contestants:\n  gone: {fine_tune: ./not-there}")
    project.suite("gone.accuracy >= 0.5", "words.accuracy >= 0.5", head=head)
    report = project.run("-x", "--modelcompare-report=r.json")
    report.assert_outcomes(errors=1)
    assert json.loads((project.pytester.path / "r.json").read_text())["spend"]["trainings"] == 0
    project.run("--modelcompare-report=r.json").assert_outcomes(errors=1, passed=1)


def test_a_python_test_has_what_it_needs_whatever_the_gates_beside_it_need(project: Project):
    head = SUITE.replace("contestants:", "contestants:\n  more: {tfidf: {}, C: 5}")
    project.suite("words.accuracy >= 0.5", head=head)
    project.pytester.makepyfile(
        test_spam="""
        def test_more(modelcompare):
            assert modelcompare("spam.modelcompare.yaml")["more"].accuracy >= 0.5
        """
    )
    project.run("-x", "spam.modelcompare.yaml", "test_spam.py").assert_outcomes(passed=2)
