"""The verdict on a suite in one line: what every report begins with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pytest_modelcompare.records.report import GateReport, SuiteReport

WORST_FIRST = ("error", "fail", "undecided", "skipped", "pass")
SAID = {
    "error": ("is an error", "are errors"),
    "fail": ("fails", "fail"),
    "undecided": ("is undecided", "are undecided"),
    "skipped": ("was skipped", "were skipped"),
}


@dataclass(frozen=True, slots=True)
class Headline:
    """How a suite stands."""

    outcome: str
    """The worst of its gates'; "skipped" where no gate was judged."""

    text: str
    """E.g. "4 of 6 gates hold, 1 fails, 1 is undecided"."""


def headline(suite: SuiteReport) -> Headline:
    """The verdict on a suite."""
    counts = Counter(gate.outcome for gate in suite.gates)
    total = len(suite.gates)
    if total and counts["pass"] == total:
        text = "the gate holds" if total == 1 else f"all {total} gates hold"
    else:
        parts = [f"{counts[outcome]} {SAID[outcome][counts[outcome] > 1]}" for outcome in SAID if counts[outcome]]
        text = ", ".join([f"{counts['pass']} of {total} gates hold", *parts])
    if suite.gates_total > total:
        text += f"; {total} of {suite.gates_total} gates were selected"
    judged = [outcome for outcome in WORST_FIRST if counts[outcome] and outcome != "skipped"]
    return Headline(judged[0] if judged else "skipped", text)


def worst_first(gates: Sequence[GateReport]) -> list[GateReport]:
    """What does not hold before what does; within each in suite order."""
    return sorted(gates, key=lambda gate: WORST_FIRST.index(gate.outcome))


def said(gate: GateReport) -> str:
    """What a gate says, on one line: an error's remedy stands on a line of its own."""
    return "; ".join(" ".join(line.split()) for line in gate.message.splitlines() if line.strip())


def shown_path(suite: SuiteReport) -> str:
    """The suite's file as pytest names it: below the rootdir, without the machine's folders."""
    named = suite.gates[0].nodeid.partition("::")[0] if suite.gates else ""
    return named if named and not PurePath(named).is_absolute() else PurePath(suite.path).name
