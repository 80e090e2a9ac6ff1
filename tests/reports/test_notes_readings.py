"""How labels were read stands in the notes, where it is worth saying."""

from __future__ import annotations

from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.notes import notes


def noted(**read_as: int) -> list[str]:
    row = ContestantReport(
        "prompt", None, stored=True, read_as={name.replace("_", " "): n for name, n in read_as.items()}
    )
    return notes(SuiteReport("s.modelcompare.yaml", "S", {}, {"gpt": row}, []))


def test_other_ways_to_read_are_noted_the_most_frequent_first():
    assert noted(in_JSON=4, as_asked=1_200) == ["gpt: labels were read 1,200 as asked, 4 in JSON"]


def test_labels_as_they_were_asked_for_are_no_news():
    assert noted(as_asked=1_200) == []
