"""`modelcompare history`, `report`, `plan`, `store` and `recommend` on what a session left in the store."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pytest_modelcompare.cli.report import report_of_file
from pytest_modelcompare.errors import StoreError
from tests.pytest_plugin.conftest import Project
from tests.pytest_plugin.conftest import project as project
from tests.pytest_plugin.test_accept import answer

SUITE = "spam.modelcompare.yaml"


def command(project: Project, *arguments: str) -> pytest.RunResult:
    return project.pytester.run(str(Path(sys.executable).with_name("modelcompare")), *arguments)


def git(project: Project, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=project.pytester.path, check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves a copy of the project for the others."""
    return tmp_path_factory.mktemp("built") / "project"


@pytest.fixture
def two_commits(project: Project, built: Path) -> Project:
    """The recorded answers are right on 180 of 200 rows, then on 150; each is committed and judged."""
    if built.exists():
        shutil.copytree(built, project.pytester.path, dirs_exist_ok=True)
        return project
    project.suite("llm.accuracy >= 0.8", "llm.f1 >= 0.5")
    git(project, "init", "-q", "-b", "main")
    for every in (5, 2):
        answer(project, every=every)
        git(project, "add", "*.yaml", "*.csv")
        git(project, "commit", "-q", "-m", f"every {every}")
        project.run("-q")
    shutil.copytree(project.pytester.path, built)
    return project


def test_a_history_has_a_line_per_session_and_a_sparkline_per_gate(two_commits: Project):
    shown = command(two_commits, "history", SUITE).stdout
    shown.fnmatch_lines(["Spam: 2 sessions", "*session*commit*branch*gates*", "*main*2 pass*", "*main*1 pass, 1 fail*"])
    shown.fnmatch_lines(["*█▁  FAIL  0.750  llm.accuracy >= 0.8"])


def test_a_gate_is_named_by_a_part_of_its_sentence(two_commits: Project):
    shown = command(two_commits, "history", SUITE, "accuracy").stdout
    shown.fnmatch_lines(["llm.accuracy >= 0.8", "█▁  2 sessions", "*PASS*0.900 (*)*0.800", "*FAIL*0.750 (*)*0.800"])
    assert command(two_commits, "history", SUITE, "llm").ret == 1  # two gates hold it


def test_two_commits_are_compared_row_by_row(two_commits: Project):
    # 20 answers were wrong, 50 are: -0.150, on the same rows
    shown = command(two_commits, "history", SUITE, "--compare", "HEAD~1", "main")
    assert shown.ret == 0
    shown.stdout.fnmatch_lines(
        [
            "Spam: * main of * → * main of *",
            "*PASS 0.900*FAIL 0.750*-0.150 (-0.*) *paired, *",
            "*more than the rows make*",
        ]
    )


def test_other_test_rows_are_compared_unpaired_and_said_so(two_commits: Project):
    test = two_commits.pytester.path / "test.csv"
    answers = two_commits.pytester.path / "answers.csv"
    for path in (test, answers):
        path.write_text(path.read_text().replace("see you at lunch", "see you soon at lunch"))
    git(two_commits, "commit", "-qam", "rows")
    two_commits.run("-q")
    shown = command(two_commits, "history", SUITE, "--compare", "HEAD~1", "HEAD").stdout
    shown.fnmatch_lines(["*llm.accuracy >= 0.8*FAIL 0.750*FAIL 0.750*unpaired: the test rows changed*"])


def test_a_commit_without_a_session_is_said(two_commits: Project):
    shown = command(two_commits, "history", SUITE, "--compare", "HEAD", "deadbeef")
    assert shown.ret == 1
    shown.stderr.fnmatch_lines(["no session of `deadbeef` is stored"])


def test_a_suite_without_sessions_says_what_to_do(project: Project):
    project.suite("llm.accuracy >= 0.8")
    shown = command(project, "history", SUITE)
    assert shown.ret == 1
    shown.stderr.fnmatch_lines(["*no session of this suite is stored", "*run `pytest --modelcompare` first*"])


def test_the_summary_shows_a_sparkline_from_the_second_session_on(project: Project):
    project.suite("llm.accuracy >= 0.5")
    assert "▄" not in project.run("-q").stdout.str()
    project.run("-q").stdout.fnmatch_lines(["*llm.accuracy >= 0.5  PASS *▄▄"])


def test_a_report_carries_the_history_of_its_gates(two_commits: Project):
    two_commits.run("-q", "--modelcompare-report=r.json")
    (suite,) = json.loads((two_commits.pytester.path / "r.json").read_text())["suites"]
    found = suite["history"]["llm.accuracy >= 0.8"]
    assert [(one["outcome"], one["value"], one["branch"]) for one in found] == [
        ("pass", 0.9, "main"),
        ("fail", 0.75, "main"),
        ("fail", 0.75, "main"),
    ]


def test_a_history_that_cannot_be_written_changes_no_verdict(project: Project):
    project.suite("llm.accuracy >= 0.5")
    (project.pytester.path / "taken").write_text("")
    result = project.run("--modelcompare-store=taken")
    result.stdout.fnmatch_lines(["*not kept for later sessions: * the store cannot be used*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_workers_leave_one_line_together(project: Project):
    pytest.importorskip("xdist")
    project.suite("llm.accuracy >= 0.5", "llm.f1 >= 0.5", "words.accuracy >= 0.5")
    project.run("-q", "-n2", "-p", "xdist")
    (line,) = (project.pytester.path / ".modelcompare" / "history.jsonl").read_text().splitlines()
    assert len(json.loads(line)["gates"]) == 3


@pytest.mark.parametrize("option", ["--modelcompare-plan", "--modelcompare-smoke", "--collect-only"])
def test_what_judges_nothing_leaves_nothing(project: Project, option: str):
    project.suite("words.accuracy >= 0.5")
    project.run(option)
    assert not (project.pytester.path / ".modelcompare" / "history.jsonl").exists()


def test_the_last_session_is_rendered_to_any_format(two_commits: Project):
    shown = command(two_commits, "report", SUITE, "-o", "r.json", "-o", "r.md", "-o", "r.html")
    assert shown.ret == 0
    for name in ("r.json", "r.md", "r.html"):
        assert "llm.accuracy" in (two_commits.pytester.path / name).read_text()
    command(two_commits, "report", "r.json").stdout.fnmatch_lines(["*llm.accuracy >= 0.8*FAIL*"])


def test_an_unknown_format_and_a_file_that_is_no_report_are_said(two_commits: Project):
    shown = command(two_commits, "report", SUITE, "-o", "r.pdf")
    assert shown.ret == 1
    shown.stderr.fnmatch_lines(["r.pdf: the format is told by the suffix", "*.json*.html*.md*"])
    (two_commits.pytester.path / "no.json").write_text("[]")
    command(two_commits, "report", "no.json").stderr.fnmatch_lines(["no.json: this is no report", "*write one with*"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no.json: cannot be read: No such file or directory"),
        ("x", "no.json: this is no report, nor any JSON: *"),
        ('{"format": 2}', "no.json: this is a report of format 2; this version reads 1"),
        ('{"format": 1}', "no.json: this is no whole report: *"),
    ],
)
def test_a_file_that_is_no_report_says_why(tmp_path: Path, text: str | None, said: str):
    if text is not None:
        (tmp_path / "no.json").write_text(text)
    with pytest.raises(StoreError) as error:
        report_of_file(tmp_path / "no.json")
    assert fnmatch(str(error.value).splitlines()[0], f"*{said}")


def test_a_plan_says_what_is_new_and_runs_nothing(project: Project):
    project.suite("words.accuracy >= 0.5")
    shown = command(project, "plan", SUITE)
    shown.stdout.fnmatch_lines(["Spam: 200 training rows, 200 test rows", "*words*new*train*", "*nothing was run"])
    assert not list((project.pytester.path / ".modelcompare").rglob("run.json"))


def test_the_store_is_measured_and_pruned(two_commits: Project):
    command(two_commits, "store").stdout.fnmatch_lines(["*.modelcompare", "history *", "total *"])
    command(two_commits, "store", "prune", "--older-than", "1").stdout.fnmatch_lines(["nothing in * is older*"])
    command(two_commits, "store", "prune", "--older-than", "0", "--dry-run").stdout.fnmatch_lines(["*would go*"])
    assert command(two_commits, "store", "--store", "nowhere").ret == 1


def test_a_recommendation_comes_from_the_last_session(two_commits: Project):
    two_commits.suite("llm.accuracy >= 0.8", "words.accuracy >= 0.8")
    two_commits.run("-q")
    shown = command(two_commits, "recommend", SUITE, "--min-accuracy", "0.6").stdout
    shown.fnmatch_lines(["Spam: ship words.", "*accuracy 1.000 *", "*shown: more accurate than llm*same rows)"])
    refused = command(two_commits, "recommend", SUITE, "--max-size-mb", "0", "--min-accuracy", "0.9")
    assert refused.ret == 1
    refused.stdout.fnmatch_lines(["*no contestant keeps to the limits*", "*Out: words: size *at most 0.0 MB: broken*"])


def test_where_nothing_was_measured_there_are_rules_of_thumb(project: Project):
    project.suite("words.accuracy >= 0.8")
    shown = command(project, "recommend", SUITE).stdout
    shown.fnmatch_lines(["*nothing was measured yet*rules of thumb:", "*DistilBERT*", "*RoBERTa*", "*ALBERT*"])
