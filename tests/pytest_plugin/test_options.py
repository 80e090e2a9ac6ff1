"""One test per option, and what the plugin costs where nobody asks for it."""

from __future__ import annotations

import json
import os

import pytest

from tests.pytest_plugin.conftest import Project

GOOD = "words.accuracy >= 0.90"


def test_without_the_switch_a_named_suite_is_skipped_with_a_hint(project: Project):
    path = project.suite(GOOD)
    result = project.pytester.runpytest_subprocess("-rs", str(path))
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*run it with `pytest --modelcompare`*"])


def test_without_the_switch_other_suites_are_not_looked_at(project: Project):
    (project.pytester.path / "broken.modelcompare.yaml").write_text("[")
    project.pytester.makepyfile("def test_one(): pass")
    project.pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_unused_it_imports_three_modules_at_most_writes_nothing_and_prints_nothing(project: Project):
    project.suite(GOOD)
    project.pytester.makepyfile("def test_one(): pass")
    project.pytester.makeconftest(
        """
        import sys
        def pytest_unconfigure():
            ours = sorted(name for name in sys.modules if name.startswith("pytest_modelcompare"))
            others = sorted({"numpy", "pydantic", "rich", "ruamel", "torch"} & set(sys.modules))
            open("modules.txt", "w").write(f"{len(ours)} {others}")
        """
    )
    before = set(os.listdir(project.pytester.path))
    result = project.pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)
    count, _, others = (project.pytester.path / "modules.txt").read_text().partition(" ")
    assert int(count) <= 3
    assert others == "[]"
    new = {name for name in os.listdir(project.pytester.path) if not name.startswith("runpytest")} - before
    assert new <= {"modules.txt", "__pycache__", "stdout", "stderr"}
    assert not [
        line for line in result.outlines if "modelcompare" in line and not line.startswith(("plugins:", "rootdir:"))
    ]


def test_the_ini_switch_is_the_switch(project: Project):
    project.pytester.makeini("[pytest]\nmodelcompare = true\n")
    project.suite(GOOD)
    project.pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_plan_prints_the_jobs_and_runs_nothing(project: Project):
    project.suite(GOOD, "words beats llm on accuracy")
    result = project.run("--modelcompare-plan")
    result.stdout.fnmatch_lines(["*words*new*train (tfidf)*", "*llm*read (predictions)*", "*nothing was run*"])
    assert not list((project.pytester.path / ".modelcompare").glob("runs/*"))
    assert result.ret == 0


def test_plan_says_what_is_stored(project: Project):
    project.suite(GOOD)
    project.run()
    project.run("--modelcompare-plan", "-n", "2").stdout.fnmatch_lines(["*words*stored*"])


def test_smoke_runs_small_keeps_nothing_and_skips_the_gates(project: Project):
    project.suite(GOOD)
    result = project.run("--modelcompare-smoke")
    result.assert_outcomes(skipped=1)
    assert not list((project.pytester.path / ".modelcompare").glob("runs/*"))


def test_fresh_trains_again(project: Project):
    project.suite(GOOD)
    project.run()
    project.run().stdout.fnmatch_lines(["*0 trainings, 1 run from the store*"])
    project.run("--modelcompare-fresh").stdout.fnmatch_lines(["*1 training, 0 runs from the store*"])


def test_the_store_goes_where_it_is_told(project: Project):
    project.suite(GOOD)
    project.run("--modelcompare-store=elsewhere")
    assert (project.pytester.path / "elsewhere" / "runs").is_dir()
    assert not (project.pytester.path / ".modelcompare").exists()


def test_the_report_follows_the_format(project: Project):
    project.suite(GOOD, "words beats llm on accuracy by 0.02")
    result = project.run("--modelcompare-report=out/x.json")
    result.stdout.fnmatch_lines(["modelcompare report: *x.json"])
    report = json.loads((project.pytester.path / "out" / "x.json").read_text())
    assert report["format"] == 1
    assert report["spend"] == dict.fromkeys(report["spend"], 0) | {"trainings": 1}
    suite = report["suites"][0]
    assert suite["data"]["test_rows"] == 200
    assert suite["contestants"]["words"]["metrics"]["accuracy"]["n"] == 200
    gate = suite["gates"][1]
    assert gate["outcome"] == "pass"
    assert gate["nodeid"] == "spam.modelcompare.yaml::words beats llm on accuracy by 0.02"
    assert gate["difference"]["low"] >= 0.02
    assert gate["line"] == 9


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--modelcompare-llm=sometimes", "choose one of auto, replay, refresh, off"),
        ("--modelcompare-budget=lots", "give an amount in USD"),
        ("--modelcompare-device=tpu", "choose one of auto, cpu, cuda, mps"),
        ("--modelcompare-report=x.docx", "the format is told by the suffix"),
        ("--modelcompare-executor=ray", "there is none of that name; installed are auto, here, processes"),
        ("--modelcompare-jobs=0", "give a whole number from 1 on"),
        ("--modelcompare-jobs=all", "give a whole number from 1 on"),
    ],
)
def test_a_bad_value_is_a_usage_error(project: Project, option: str, words: str):
    project.suite(GOOD)
    result = project.run(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{words}*"])


def test_a_store_that_cannot_be_written_is_an_error_in_words(project: Project):
    project.suite(GOOD)
    (project.pytester.path / "taken").write_text("")
    result = project.run("--modelcompare-store=taken")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the store cannot be used*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_report_that_cannot_be_written_is_said_and_the_exit_status_is_not_0(project: Project):
    project.suite(GOOD)
    (project.pytester.path / "file").write_text("")
    result = project.run("--modelcompare-report=file/x.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the report cannot be written*"])


def test_every_format_is_written_by_its_suffix(project: Project):
    project.suite(GOOD)
    project.run("--modelcompare-report=x.html", "--modelcompare-report=x.md", "--modelcompare-report=x.json")
    found = [(project.pytester.path / f"x.{suffix}").read_text()[:16] for suffix in ("html", "md", "json")]
    assert found == ["<!doctype html>\n", "## ✅ Spam: the g", '{\n "created": "2']


def test_every_valued_option_has_its_ini_twin(project: Project):
    project.pytester.makeini(
        "[pytest]\nmodelcompare_store = kept\nmodelcompare_report = r.json\nmodelcompare_device = cpu\n"
    )
    project.suite(GOOD)
    project.run().assert_outcomes(passed=1)
    assert (project.pytester.path / "kept").is_dir()
    assert (project.pytester.path / "r.json").exists()


@pytest.mark.parametrize("asked", [("--modelcompare",), ()])
def test_a_suite_whose_name_is_no_suites_says_how_to_name_it(project: Project, asked: tuple[str, ...]):
    project.suite("words.accuracy >= 0.5").rename(project.pytester.path / "spam.yaml")
    (project.pytester.path / "other.yaml").write_text("another: tool's\n")
    result = project.pytester.runpytest_subprocess(*asked, "spam.yaml")
    assert result.ret != 0
    result.stdout.fnmatch_lines(
        ["spam.yaml: a comparison suite is found by its name*", "*rename it to spam.modelcompare.yaml*"]
    )
    # what was not named, or is no suite, is nobody's business
    assert project.pytester.runpytest_subprocess(*asked).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    project.pytester.runpytest_subprocess(*asked, "other.yaml").stdout.no_fnmatch_line("*comparison suite*")


def test_notes_that_no_verdict_rests_on_are_left_to_v_and_the_reports(project: Project):
    project.suite("words.accuracy >= 0.5")
    quiet = project.run("--modelcompare-report=r.md")
    quiet.stdout.fnmatch_lines(["*more note* with -v and in the reports*"])
    quiet.stdout.no_fnmatch_line("*timed one row at a time*")
    project.run("-v").stdout.fnmatch_lines(["*words: timed one row at a time*"])
    assert "timed one row at a time" in (project.pytester.path / "r.md").read_text()
