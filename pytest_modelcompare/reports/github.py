"""What a run inside GitHub Actions leaves there: annotations at the gates' lines, and the step's summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_modelcompare.records.report import GateReport, SessionReport, SuiteReport
from pytest_modelcompare.reports.headline import said, worst_first
from pytest_modelcompare.reports.markdown_report import render_markdown

SUMMARY = "GITHUB_STEP_SUMMARY"
LET_PASS = "UNDECIDED, let pass"  # noqa: S105
"""How the message of a gate begins that `undecided: pass` or `warn` let through."""


def annotation_lines(report: SessionReport, environment: Mapping[str, str]) -> list[str]:
    """Workflow commands, one per gate that does not hold, worst first; none outside GitHub Actions.

    GitHub shows the first ten of a step.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return []
    workspace = environment.get("GITHUB_WORKSPACE") or str(Path.cwd())
    return [
        annotation(level, suite, gate, Path(workspace))
        for suite in report.suites
        for gate in worst_first(suite.gates)
        if (level := level_of(gate)) is not None
    ]


def level_of(gate: GateReport) -> str | None:
    if gate.outcome in ("error", "fail", "undecided"):
        return "error"
    return "warning" if gate.outcome == "pass" and gate.message.startswith(LET_PASS) else None


def annotation(level: str, suite: SuiteReport, gate: GateReport, workspace: Path) -> str:
    path = Path(suite.path)
    shown = path.relative_to(workspace) if path.is_relative_to(workspace) else path
    title = f"{gate.outcome.upper()}: {gate.gate}"
    facts = f"file={in_property(shown.as_posix())},line={gate.line},title={in_property(title)}"
    return f"::{level} {facts}::{in_message(said(gate))}"


def in_message(text: str) -> str:
    """As workflow commands want their text."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def in_property(text: str) -> str:
    return in_message(text).replace(":", "%3A").replace(",", "%2C")


def append_step_summary(report: SessionReport, environment: Mapping[str, str]) -> Path | None:
    """Append the Markdown report to the summary of the step that runs this; None outside of one.

    Raises:
        OSError: the summary cannot be written.
    """
    if not (name := environment.get(SUMMARY)):
        return None
    path = Path(name)
    with path.open("a", encoding="utf-8") as file:
        file.write(render_markdown(report))
    return path
