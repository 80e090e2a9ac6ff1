"""A suite's gates in a terminal: what does not hold first, with numbers, history and the rows that flipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pytest_modelcompare.records.printable import printable
from pytest_modelcompare.records.report import GateReport, SuiteReport
from pytest_modelcompare.reports.gate_details import details
from pytest_modelcompare.reports.headline import said, worst_first
from pytest_modelcompare.reports.sparkline import LONGEST, history_bars, history_lines

# yellow would be lost on a light background, where most terminals draw it pale
STYLES = {"pass": "green", "fail": "bold red", "undecided": "magenta", "error": "bold red", "skipped": "dim"}
LEAST_ROOM = 40
"""Narrower than this, numbers stand better below their gate than beside it."""

OUTCOME = 9
"""Width of the longest outcome."""

BELOW = 12
"""Where what belongs to a gate stands below it."""

Sessions = Sequence[Mapping[str, Any]]


def write_gates(console: Console, suite: SuiteReport) -> None:
    """Every gate; a line is left free before those that hold."""
    gates = worst_first(suite.gates)
    width = max((len(gate.gate) for gate in gates), default=0)
    if 2 * width > console.width or any(room_beside(console, width) < needed(gate) for gate in gates):
        width = 0
    before = None
    for gate in gates:
        if gate.outcome == "pass" and before not in (None, "pass"):
            console.print()
        before = gate.outcome
        write_gate(console, gate, suite.history.get(gate.gate, []), width)


def room_beside(console: Console, width: int) -> int:
    """What the sentences and the outcomes leave of a line."""
    return console.width - width - OUTCOME - 6


def needed(gate: GateReport) -> int:
    return min(LEAST_ROOM, len(said(gate)))


def write_gate(console: Console, gate: GateReport, history: Sessions = (), width: int = 0) -> None:
    """The sentence, the outcome, the numbers.

    Args:
        width: how wide sentences stand before the outcomes; 0: the outcome stands first, and the numbers follow the
            sentence where they fit, else below it.
    """
    outcome = Text(gate.outcome.upper().ljust(OUTCOME), style=STYLES[gate.outcome])
    sentence, message = printable(gate.gate), Text(printable(said(gate)))
    if width:
        head = Text("  ") + Text(sentence.ljust(width)) + Text("  ") + outcome + Text("  ")
        indent = head.cell_len
    else:
        head, indent = Text("  ") + outcome + Text(" ") + Text(sentence), BELOW
        if head.cell_len + 2 + message.cell_len <= console.width:
            head += Text("  ")
        else:
            console.print(head, soft_wrap=True)
            head = Text(" " * BELOW)
    bars = coloured(history)
    lines = message.wrap(console, console.width - (indent if width else head.cell_len))
    beside = write_lines(console, head, list(lines), " " * indent, bars)
    for text in [*history_lines(history, beside=beside), *details(gate)]:
        console.print(Padding(Text(printable(text), style="dim"), (0, 0, 0, BELOW), expand=False))


def write_lines(console: Console, head: Text, lines: Sequence[Text], indent: str, bars: Text) -> bool:
    """Lines of text after a head, and the bars after the last where there is room: whether there was."""
    whole = [(Text(indent) if number else head) + line for number, line in enumerate(lines)] or [head]
    for line in whole:
        line.rstrip()
    beside = bool(bars) and whole[-1].cell_len + 2 + len(bars) <= console.width
    if beside:
        whole[-1] += Text("  ") + bars
    for line in whole:
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    return beside


def coloured(history: Sessions) -> Text:
    """The sparkline, each session in the colour of its outcome."""
    parts = zip(history_bars(history), history[-LONGEST:], strict=False)
    return Text.assemble(*((bar, STYLES[one["outcome"]].removeprefix("bold ")) for bar, one in parts))
