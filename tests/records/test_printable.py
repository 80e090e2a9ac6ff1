"""Nothing that comes from data steers a terminal, or the service that runs a build."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelcompare.records.printable import ObeyedByNone, obeyed_by_none
from pytest_modelcompare.reports.markdown_report import render_markdown
from pytest_modelcompare.reports.terminal import rendered
from tests.reports.worlds import hostile_report

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PIECES = st.sampled_from(
    ["::", ":", "error", "##[", "##vso[", "#", "[", " ", "\t", "\n", "\x1b[1m", "a", "stop-commands"]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def commands(log: str) -> list[str]:
    """The lines that a CI service would obey, as their runners look for them."""
    lines = (ANSI.sub("", line) for line in log.splitlines())
    return [line for line in lines if line.strip().startswith("::") or re.search(r"##\w*\[", line)]


@given(TEXTS)
def test_no_line_is_a_command(text: str):
    assert commands(obeyed_by_none(text)) == []
    assert obeyed_by_none(obeyed_by_none(text)) == obeyed_by_none(text)


@given(TEXTS)
def test_what_is_no_command_stays_as_it_is(text: str):
    if not commands(text):
        assert obeyed_by_none(text) == text


@given(st.lists(TEXTS, max_size=4))
def test_a_stream_is_obeyed_by_none_however_it_is_written_to(lines: list[str]):
    stream = io.StringIO()
    for line in lines:
        print(line, file=ObeyedByNone(stream))
    assert commands(stream.getvalue()) == []


def test_a_print_in_two_parts_begins_one_line():
    stream = io.StringIO()
    print("  \x1b[1m", end="", file=(safe := ObeyedByNone(stream)))
    print("::error::x", file=safe)
    print("a", "::b", "##[c]", file=safe)
    assert stream.getvalue() == "  \x1b[1m\\u003a:error::x\na ::b \\u0023#[c]\n"


HOSTILE_LINES = [
    "::error::hacked",
    "#\x1b[1m#\x1b[1m[error]hacked",
    "words before it ::stop-commands::x and ::warning file=a::b after it",
    "##[error]hacked ##vso[task.complete result=Succeeded] ##teamcity[x]",
    "a" * 30 + "::error::" + "b" * 30,
    "   ::add-mask::a",
]


@pytest.mark.parametrize("hostile", HOSTILE_LINES)
@pytest.mark.parametrize("colour", [True, False])
def test_at_no_width_does_a_report_hold_a_line_that_a_ci_obeys(hostile: str, colour: bool):
    report = hostile_report(hostile)
    for width in (*range(20, 140), 200):
        assert commands(rendered(report, width=width, colour=colour)) == []
    assert commands(render_markdown(report)) == []
