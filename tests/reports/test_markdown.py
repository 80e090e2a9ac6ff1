"""The report for a pull request."""

from __future__ import annotations

from dataclasses import replace

from markdown_it import MarkdownIt

from pytest_modelcompare.records.report import GateReport
from pytest_modelcompare.reports.markdown_report import MOST_CHARACTERS, code, plain, render_markdown
from tests.reports.worlds import HOSTILE, hostile_report, large_report

READER = MarkdownIt("commonmark", {"html": True}).enable("table")


def test_the_verdict_stands_first_then_what_does_not_hold():
    text = render_markdown(large_report(n_rows=500))
    lines = text.splitlines()
    assert lines[0] == "## ❌ Banking intents: 3 of 10 gates hold, 1 is an error, 3 fail, 3 are undecided"
    assert text.index("❌&nbsp;error") < text.index("❌&nbsp;fail") < text.index("❔&nbsp;undecided")
    assert text.index("❔&nbsp;undecided") < text.index("<details><summary>3 gates more")


def test_it_fits_into_a_comment_and_its_folds_are_closed():
    report = large_report(n_rows=500)
    (suite,) = report.suites
    many = [replace(gate, gate=f"{gate.gate} {number}") for number in range(60) for gate in suite.gates]
    text = render_markdown(replace(report, suites=[replace(suite, gates=many)] * 8))
    assert len(text) <= MOST_CHARACTERS
    assert "Cut here" in text
    assert text.count("<details>") == text.count("</details>")


def test_markup_in_a_text_stays_text_and_nobody_is_mentioned():
    html = READER.render(render_markdown(hostile_report()))
    assert "<script" not in html
    assert "<img" not in html
    assert "<strong>b" not in html
    outside_code = html.replace("<code>", "\0").split("\0")
    assert not any("@everyone" in part.split("</code>", 1)[-1] for part in outside_code)


def test_a_bar_in_a_gate_does_not_end_its_cell():
    html = READER.render("| a | b |\n|---|---|\n| " + code('a.f1["x|y"] >= 0.5', in_table=True) + " | end |\n")
    assert "<td><code>a.f1[&quot;x|y&quot;] &gt;= 0.5</code></td>\n<td>end</td>" in html


def test_backticks_in_a_code_span_are_kept():
    assert code("a `b` ``c``") == "``` a `b` ``c`` ```"


def test_plain_text_reads_as_it_was():
    said = "1 * 2 * 3 < 4 & [x](http://y) _z_ # ~~w~~"
    html = READER.renderInline(plain(said)).replace("\u200b", "")
    assert html == "1 * 2 * 3 &lt; 4 &amp; [x](http://y) _z_ # ~~w~~"


def test_a_message_over_several_lines_stays_in_its_row():
    report = large_report(n_rows=500)
    (suite,) = report.suites
    gate = GateReport("g", None, "s::g", 1, "error", "first\n| second |\n# third")
    text = render_markdown(replace(report, suites=[replace(suite, gates=[gate])]))
    assert "| ❌&nbsp;error | `g` | first; \\| second \\|; \\# third |" in text


def test_hostile_names_are_shown():
    assert HOSTILE.split("@")[0].strip() in READER.render(render_markdown(hostile_report())).replace(
        "&lt;", "<"
    ).replace("&gt;", ">").replace("&quot;", '"')
