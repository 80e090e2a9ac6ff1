"""From a report's path to its format: told by the suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_modelcompare.records.report import SessionReport
from pytest_modelcompare.reports.whole_file import write_whole


def html(report: SessionReport) -> str:
    from pytest_modelcompare.reports.html_report import render_html

    return render_html(report)


def markdown(report: SessionReport) -> str:
    from pytest_modelcompare.reports.markdown_report import render_markdown

    return render_markdown(report)


def json(report: SessionReport) -> str:
    from pytest_modelcompare.reports.json_report import render_json

    return render_json(report)


FORMATS: Mapping[str, Callable[[SessionReport], str]] = {".json": json, ".html": html, ".md": markdown}
"""Suffix → what renders it; each loads its libraries when it is used."""


def write_report(report: SessionReport, path: Path) -> None:
    """Write one report.

    Raises:
        KeyError: no such format.
        OSError: it cannot be written.
    """
    write_whole(FORMATS[path.suffix](report), path)
