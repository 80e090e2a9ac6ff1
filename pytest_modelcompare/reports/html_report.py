"""The report as one page: no network, light and dark, readable on a phone."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pytest_modelcompare.records.report import SessionReport, SuiteReport
from pytest_modelcompare.reports.headline import headline, shown_path, worst_first
from pytest_modelcompare.reports.html.by_label import confusion, heat_map, most_confused
from pytest_modelcompare.reports.html.contestants_table import table_rows, titles
from pytest_modelcompare.reports.html.flipped_rows import flipped_rows
from pytest_modelcompare.reports.html.gate_lines import gate_line
from pytest_modelcompare.reports.html.learning import efficiency, sweeps
from pytest_modelcompare.reports.html.measured import about_contestant, about_data, about_session, about_statistics
from pytest_modelcompare.reports.html.reliability import history, reliability
from pytest_modelcompare.reports.html.shared import Chart, colours
from pytest_modelcompare.reports.html.times import MOST_CROSSINGS, break_even, crossings, latency, spendings
from pytest_modelcompare.reports.html.tradeoffs import COST, LATENCY, tradeoff
from pytest_modelcompare.reports.json_report import finite

HERE = Path(__file__).parent / "html"
LIBRARY = HERE / "vendor" / "echarts.min.js"
SCRIPTS = ("theme", "marks", "tradeoff", "learning", "by_label", "times", "reliability", "flipped", "page")
"""Files of `static/`, in the order in which they build on each other."""


def render_html(report: SessionReport) -> str:
    """The whole page. Texts from data are escaped, and the page lets no other script run than its own."""
    suites = [suite_view(suite, number) for number, suite in enumerate(report.suites)]
    data = [{"charts": view["drawings"], "flipped": view["flipped"]} for view in suites]
    library, script = LIBRARY.read_text(encoding="utf-8"), own_script()
    return (
        environment()
        .get_template("page.html")
        .render(
            title=report.suites[0].name if len(report.suites) == 1 else f"{len(report.suites)} suites",
            suites=suites,
            session=about_session(report),
            data=embedded(data),
            style=Markup((HERE / "static" / "page.css").read_text(encoding="utf-8")),  # noqa: S704
            library=Markup(library),  # noqa: S704
            script=Markup(script),  # noqa: S704
            hashes=" ".join(f"'sha256-{digest(one)}'" for one in (library, script)),
        )
    )


def suite_view(suite: SuiteReport, number: int) -> dict[str, Any]:
    """What the template of a suite sets."""
    charts = charts_of(suite)
    named = {f"s{number}-{chart.kind}-{place}": chart for place, chart in enumerate(charts)}
    return {
        "suite": suite,
        "id": f"s{number}",
        "number": number,
        "path": shown_path(suite),
        "headline": headline(suite),
        "gates": [gate_line(gate) for gate in worst_first(suite.gates)],
        "titles": titles(suite),
        "rows": table_rows(suite, colours(suite)),
        "charts": named,
        "drawings": {name: {"kind": chart.kind, "data": chart.data} for name, chart in named.items()},
        "crossings": crossings(spendings(suite))[:MOST_CROSSINGS],
        "confused": most_confused(suite),
        "flipped": flipped_rows(suite),
        "about_data": about_data(suite),
        "about_statistics": about_statistics(suite),
        "about_contestants": {name: about_contestant(row) for name, row in suite.contestants.items()},
    }


def charts_of(suite: SuiteReport) -> list[Chart]:
    """Every picture that this suite's figures allow, in the order of the page."""
    found = [
        tradeoff(suite, COST),
        tradeoff(suite, LATENCY),
        break_even(suite),
        latency(suite),
        efficiency(suite),
        sweeps(suite),
        history(suite),
        reliability(suite),
        heat_map(suite),
        confusion(suite),
    ]
    return [chart for chart in found if chart is not None]


def embedded(data: Any) -> Markup:
    """JSON that stands inside a `<script>` and cannot end it."""
    text = json.dumps(finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


def own_script() -> str:
    texts = [(HERE / "static" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return '"use strict";\n' + "\n".join(texts)


def digest(script: str) -> str:
    """As a content security policy names a script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
