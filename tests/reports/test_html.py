"""The page as text: what it says without being drawn. `test_html_drawn.py` opens it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pytest_modelcompare.records.report import GateReport, SessionReport, Spend, SuiteReport
from pytest_modelcompare.reports.headline import headline
from pytest_modelcompare.reports.html.flipped_rows import flipped_rows
from pytest_modelcompare.reports.html.gate_lines import gate_line
from pytest_modelcompare.reports.html_report import LIBRARY, render_html
from tests.reports.worlds import HOSTILE, hostile_report, large_report


@pytest.fixture(scope="module")
def large() -> SessionReport:
    return large_report()


@pytest.fixture(scope="module")
def page(large: SessionReport) -> str:
    return render_html(large)


class Elements(HTMLParser):
    """Every start tag, every attribute that is code or leads elsewhere, and all text outside scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += "" if self.tags[-1:] in (["script"], ["style"]) else data


def test_a_page_of_ten_contestants_and_ten_thousand_rows_is_under_5_mb(large: SessionReport):
    page = render_html(large)
    assert len(page.encode()) < 5_000_000


def test_the_verdict_stands_first(page: str):
    body = page[page.index("<body>") :]
    assert re.search(r"<h1>Banking intents</h1>\s*<p class=\"said\">3 of 10 gates hold, 1 is an error, 3 fail", body)
    assert body.index("said") < body.index("<h2>Gates</h2>") < body.index("<h2>Contestants</h2>")


def test_failures_stand_before_what_holds(page: str):
    assert re.findall(r'<li class="gate (\w+)">', page) == ["error"] + ["fail"] * 3 + ["undecided"] * 3 + ["pass"] * 3


def test_every_picture_that_was_asked_for_has_its_place(page: str):
    kinds = re.findall(r'<figure class="(\w+)">', page)
    assert sorted(kinds) == sorted(
        [
            "tradeoff",
            "tradeoff",
            "break_even",
            "latency",
            "efficiency",
            "sweep",
            "history",
            "reliability",
            "heat",
            "confusion",
        ]
    )


def test_it_leads_nowhere_and_loads_nothing(page: str):
    elements = Elements(page.replace(LIBRARY.read_text(), ""))
    assert not set(elements.tags) & {"link", "img", "iframe", "object", "embed", "base"}
    assert not [value for name, value in elements.attributes if name == "src"]
    assert all(value.startswith("#") for name, value in elements.attributes if name == "href")


def test_a_policy_names_the_two_scripts_and_forbids_every_other_source(page: str):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")
    assert len(re.findall(r"'sha256-[\w+/=]{44}'", policy)) == 2
    assert "script-src 'sha256" in policy
    assert "http" not in policy


def test_markup_in_a_text_stays_text():
    page = render_html(hostile_report())
    elements = Elements(page.replace(LIBRARY.read_text(), ""))
    assert elements.tags.count("script") == 3  # the data, the library, our own
    assert "img" not in elements.tags
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    assert elements.text.count(HOSTILE) >= 5  # name, sentence, message, models, notes


def test_the_embedded_data_cannot_end_its_script():
    page = render_html(hostile_report())
    data = page.split('id="data">', 1)[1].split("</script>", 1)[0]
    assert "<" not in data
    (suite,) = json.loads(data)
    assert HOSTILE in suite["flipped"]["texts"]


def test_a_report_read_back_from_json_renders_the_same(large: SessionReport, page: str):
    again = SessionReport.from_json(json.loads(json.dumps(large.to_json())))
    assert render_html(again) == page


def test_rendering_loads_no_heavy_library(tmp_path: Path):
    (tmp_path / "r.json").write_text(json.dumps(hostile_report().to_json()))
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from pytest_modelcompare.records.report import SessionReport\n"
        "from pytest_modelcompare.reports.formats import FORMATS\n"
        f"report = SessionReport.from_json(json.loads(Path({str(tmp_path / 'r.json')!r}).read_text()))\n"
        "for render in FORMATS.values(): assert render(report)\n"
        "print({'torch', 'transformers', 'sklearn', 'datasets', 'anthropic', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_suite_without_contestants_has_a_page():
    data = {"train_rows": 0, "test_rows": 0, "labels": [], "leaked_rows": 0, "warnings": []}
    gates = [GateReport("a.accuracy >= 0.5", None, "s::x", 3, "error", "data: no such file")]
    page = render_html(SessionReport("2026-01-01", {}, Spend(), [SuiteReport("s.yaml", "S", data, {}, gates, 1)]))
    assert "0 of 1 gates hold, 1 is an error" in page
    assert "<figure" not in page


def test_the_headline_counts_what_was_not_selected(large: SessionReport):
    (suite,) = large.suites
    some = SuiteReport(suite.path, suite.name, suite.data, suite.contestants, suite.gates[:1], 10)
    assert headline(some).text == "the gate holds; 1 of 10 gates were selected"
    assert headline(some).outcome == "pass"
    assert headline(suite).outcome == "error"


def test_flipped_rows_are_cut_evenly_where_a_page_could_not_hold_them(large: SessionReport):
    (suite,) = large.suites
    whole, cut = flipped_rows(suite), flipped_rows(suite, most_characters=50_000)
    assert whole is not None
    assert cut is not None
    assert [len(gate["rows"]) for gate in whole["gates"]] == [400] * 9
    sizes = {len(gate["rows"]) for gate in cut["gates"]}
    assert len(sizes) == 1
    assert sum(map(len, cut["texts"])) < 60_000
    assert cut["gates"][0]["left_alone"] == whole["gates"][0]["left_alone"]  # all are counted


def test_a_gate_that_does_not_hold_shows_some_of_the_rows_that_flipped_and_one_that_holds_does_not():
    flipped = {
        "left": "a",
        "right": "b",
        "left_alone": 0,
        "right_alone": 1,
        "rows": [
            {
                "id": "7",
                "text": "where is it",
                "label": "card",
                "left": "cash",
                "right": "card",
                "alone": "right",
                "confidence": 0.9,
                "confidence_of": "left",
            }
        ],
    }
    failing = GateReport("a beats b on accuracy", None, "s::x", 1, "fail", "-0.010", flipped=flipped)
    assert "where is it" in gate_line(failing).behind[0]
    part = {"where": "length is long", "outcome": "fail", "value": -0.01, "p_value": 0.02, "n": 900}
    assert gate_line(replace(failing, parts=[part])).behind[0].startswith("fails where length is long")
    assert gate_line(replace(failing, parts=[part], outcome="pass")).behind == []
