"""What a report says beside the verdict: slices, rows that flipped, parts, reuse, reference lines."""

from __future__ import annotations

import json
from typing import Any

from tests.pytest_plugin.conftest import SUITE, Project


def report(project: Project, *arguments: str) -> dict[str, Any]:
    project.run("--modelcompare-report=r.json", *arguments)
    found: dict[str, Any] = json.loads((project.pytester.path / "r.json").read_text())["suites"][0]
    return found


def test_a_slice_is_a_gate_of_its_own(project: Project):
    project.suite("llm.accuracy >= 0.85", "{gate: llm.accuracy >= 0.85, slice: {label: spam}}")
    result = project.run()
    # 180 of 200; of the spam rows 80 of 100
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*llm.accuracy >= 0.85 where label is spam  *0.800 (* 100 rows)*"])


def test_an_unknown_slice_is_an_error_with_the_way_out(project: Project):
    project.suite("{gate: llm.accuracy >= 0.85, slice: {label: span}}")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no test row has `span`*", "*did you mean `spam`*"])


def test_a_slice_of_times_is_refused_when_the_suite_is_read(project: Project):
    path = project.suite("{gate: words.latency_p95_ms <= 10, slice: {label: spam}}")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{path.name}:8:*`latency_p95_ms` is not measured by slice"])


def test_the_rows_that_flipped_are_listed(project: Project):
    project.suite("llm beats words on accuracy")
    (gate,) = report(project)["gates"]
    flipped = gate["flipped"]
    assert (flipped["left_alone"], flipped["right_alone"]) == (0, 20)
    assert len(flipped["rows"]) == 20
    assert {(row["label"], row["left"], row["right"], row["alone"]) for row in flipped["rows"]} == {
        ("spam", "ham", "spam", "right")
    }
    sure = [row["confidence"] for row in flipped["rows"]]
    assert sure == sorted(sure, reverse=True)
    project.run().stdout.fnmatch_lines(["*only words is right (20): '* is spam, llm said*"])


def test_parts_that_differ_are_named_with_their_adjusted_p_value(project: Project):
    project.suite("llm.accuracy >= 0.84")
    (gate,) = report(project)["gates"]
    assert gate["outcome"] == "pass"
    assert gate["parts"] == []  # 80 of 100 against .84: p = .17
    answers = project.pytester.path / "answers.csv"
    answers.write_text(answers.read_text().replace(",spam", ",ham", 25))
    project.suite("llm.accuracy >= 0.72")  # 155 of 200; of the spam rows 55 of 100
    (gate,) = report(project)["gates"]
    assert gate["outcome"] == "pass"
    part = {part["where"]: part for part in gate["parts"]}["label is spam"]
    assert (part["outcome"], part["value"], part["n"]) == ("fail", 0.55, 100)
    assert part["p_value"] < 0.01
    project.run().stdout.fnmatch_lines(["*fails where label is spam: 0.550 on 100 rows*"])


def test_the_report_counts_sessions_and_distinct_models(project: Project):
    project.suite("words.accuracy >= 0.9", "llm.accuracy >= 0.85")
    first = report(project)
    assert first["data"]["judged"]["times"] == 1
    assert first["gates"][0]["judged"]["models"] == 1
    again = report(project)
    assert (again["data"]["judged"]["times"], again["data"]["judged"]["models"]) == (2, 2)
    answers = project.pytester.path / "answers.csv"
    answers.write_text(answers.read_text().replace(",spam", ",ham", 3))
    third = report(project)
    gates = {gate["gate"]: gate["judged"] for gate in third["gates"]}
    assert gates["words.accuracy >= 0.9"]["models"] == 1
    assert (gates["llm.accuracy >= 0.85"]["times"], gates["llm.accuracy >= 0.85"]["models"]) == (3, 2)
    assert third["data"]["judged"]["models"] == 3
    p_pass = {gate["gate"]: gate["p_pass"] for gate in third["gates"]}["llm.accuracy >= 0.85"]
    assert gates["llm.accuracy >= 0.85"]["p_times_models"] == 2 * p_pass
    project.run().stdout.fnmatch_lines(["*these test rows were judged in 4 sessions, with 3 distinct models*"])


def test_holm_is_information_and_verdicts_do_not_rest_on_it(project: Project):
    project.suite("llm.accuracy >= 0.86", "llm.accuracy >= 0.858", "llm.accuracy >= 0.857")
    gates = report(project)["gates"]
    assert [gate["outcome"] for gate in gates] == ["undecided", "pass", "pass"]
    assert gates[2]["p_holm"] == 3 * min(gate["p_pass"] for gate in gates)
    assert gates[1]["level"] == 0.05


def test_every_table_has_its_reference_lines(project: Project):
    project.suite("llm.accuracy >= 0.8", head=SUITE.replace("  words: {tfidf: {}}\n", ""))
    lines = report(project)["references"]
    assert lines["(majority)"]["metrics"]["accuracy"]["value"] == 0.5
    assert lines["(tf-idf)"]["metrics"]["accuracy"]["value"] > 0.9
    result = project.run()
    result.stdout.fnmatch_lines(["*(majority) *.50 *reference*", "*(tf-idf) *reference*", "*0 trainings, 1 run*"])


def test_reference_lines_can_be_left_out(project: Project):
    project.suite("llm.accuracy >= 0.8", head=SUITE.replace("contestants:", "references: false\ncontestants:"))
    assert report(project)["references"] == {}


def test_a_dominant_label_is_warned_about(project: Project):
    path = project.pytester.path / "test.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:1] + lines[1:5] + lines[101:]) + "\n")
    project.suite("words.accuracy >= 0.8")
    project.run().stdout.fnmatch_lines(
        ["*96% of the test rows are labelled `ham`*", "*1 of 2 labels have fewer than 5 test rows (`spam`)*"]
    )
