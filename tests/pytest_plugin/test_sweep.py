"""A sweep in a real pytest run: its members are contestants, the plain name is the best on validation."""

from __future__ import annotations

import json

from tests.pytest_plugin.conftest import SUITE, Project

SWEEP = SUITE.replace("words: {tfidf: {}}", "words: {tfidf: {}, sweep: {C: [0.001, 30], train.fraction: [0.05, 1]}}")


def test_gates_on_the_plain_name_and_on_members(project: Project):
    project.suite(
        "words.accuracy >= 0.90",
        "words[C=30, train.fraction=1.0].accuracy >= 0.90",
        "words beats words[C=0.001,train.fraction=.05] on accuracy by 0.2",
        "words[C=0.001, train.fraction=0.05].accuracy >= 0.90",
        head=SWEEP,
    )
    result = project.run("--modelcompare-report=r.json")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        ["*180 training rows, 20 validation rows, 200 test rows", "*this session: 4 trainings*"]
    )
    suite = json.loads((project.pytester.path / "r.json").read_text())["suites"][0]
    members = [name for name in suite["contestants"] if name.startswith("words[")]
    assert len(members) == 4
    words = suite["contestants"]["words"]
    assert words["selected"] in members
    # chosen by validation: of the best there, and no worse for it
    accuracies = {name: suite["contestants"][name]["validation"]["accuracy"] for name in members}
    assert accuracies[words["selected"]] == max(accuracies.values())


def test_an_unchanged_sweep_is_replayed(project: Project):
    project.suite("words.accuracy >= 0.90", head=SWEEP)
    project.run().assert_outcomes(passed=1)
    project.run().stdout.fnmatch_lines(["*this session: 0 trainings, 4 runs from the store*"])


def test_one_gate_chosen_by_k_runs_its_member_alone(project: Project):
    project.suite("words.accuracy >= 0.90", "words[C=30, train.fraction=1].f1 >= 0.9", head=SWEEP)
    result = project.run("-k", "f1")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["*this session: 1 training,*"])


def test_the_plan_shows_how_many_trainings_a_sweep_is(project: Project):
    project.suite("words.accuracy >= 0.90", head=SWEEP)
    result = project.run("--modelcompare-plan")
    result.stdout.fnmatch_lines(
        [
            "  and 20 validation rows, which no contestant is trained on",
            "  words * new     the best of 4 members (4 trainings) on 20 validation rows",
            "  words[[]C=0.001, train.fraction=0.05] new     train (tfidf) on 9 rows",
            "  words[[]C=30, train.fraction=1] * new     train (tfidf)*",
        ]
    )
    assert not (project.pytester.path / ".modelcompare" / "runs").exists() or not list(
        (project.pytester.path / ".modelcompare" / "runs").iterdir()
    )


def test_a_smoke_run_tries_every_member_and_judges_nothing(project: Project):
    project.suite("words.accuracy >= 0.90", head=SWEEP)
    result = project.run("--modelcompare-smoke", "-rs")
    result.assert_outcomes(skipped=1)


def test_a_python_test_may_name_a_member(project: Project):
    project.suite("words.accuracy >= 0.90", head=SWEEP)
    project.pytester.makepyfile(
        """
        def test_more_rows_help(modelcompare):
            spam = modelcompare("spam.modelcompare.yaml")
            assert spam["words[C=30,train.fraction=1]"].beats("words[C=0.001, train.fraction=0.05]", on="accuracy")
            assert spam["words"].accuracy >= 0.9
        """
    )
    project.run("test_a_python_test_may_name_a_member.py").assert_outcomes(passed=1)


def test_workers_share_a_sweep(project: Project):
    project.suite("words.accuracy >= 0.90", "words[C=30, train.fraction=1].f1 >= 0.9", head=SWEEP)
    result = project.run("-n", "2")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*this session: 4 trainings*"])
