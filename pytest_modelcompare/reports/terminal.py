"""The summary at the end of a run: the verdict, a table per suite, then each gate's line, failures first."""

from __future__ import annotations

import io
from typing import Protocol

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pytest_modelcompare.records.printable import obeyed_by_none, printable
from pytest_modelcompare.records.report import SessionReport, SuiteReport
from pytest_modelcompare.reports.headline import headline
from pytest_modelcompare.reports.notes import described, notes, spent
from pytest_modelcompare.reports.terminal_gates import STYLES, write_gates
from pytest_modelcompare.reports.terminal_table import LEGEND, any_marked, table

WIDEST = 200


class Terminal(Protocol):
    """As much of pytest's terminal reporter as a summary needs."""

    @property
    def _tw(self) -> TerminalWriter: ...

    def write_sep(self, sep: str, title: str) -> None: ...


class TerminalWriter(Protocol):
    fullwidth: int
    hasmarkup: bool

    def write(self, msg: str) -> None: ...


def write_summary(report: SessionReport, terminal: Terminal) -> None:
    """Write the summary to pytest's terminal, in its width and with colour only where it has colour."""
    writer = terminal._tw
    terminal.write_sep("=", "modelcompare")
    writer.write(rendered(report, width=min(writer.fullwidth, WIDEST), colour=writer.hasmarkup))


def rendered(report: SessionReport, *, width: int, colour: bool) -> str:
    """The summary as text, with ANSI colours if `colour`."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        legacy_windows=False,
        emoji=False,
    )
    for suite in report.suites:
        write_suite(console, suite)
    write_note(console, spent(report))
    return obeyed_by_none("".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines()))


def write_suite(console: Console, suite: SuiteReport) -> None:
    """One suite: what it is about, the verdict, its table, its gates, what to know when reading them."""
    console.print(Text(printable(suite.name), style="bold"), Text(described(suite), style="dim"))
    if suite.gates:
        verdict = headline(suite)
        console.print(Text("  ") + Text(verdict.text, style=STYLES[verdict.outcome]))
        console.print()
    if suite.contestants:
        console.print(table(suite, console.width))
        if any_marked(suite, console.width):
            write_note(console, LEGEND)
        console.print()
    write_gates(console, suite)
    if suite.gates:
        console.print()
    for note in notes(suite):
        write_note(console, note)
    console.print()


def write_note(console: Console, text: str) -> None:
    console.print(Padding(Text(printable(text), style="dim"), (0, 0, 0, 2), expand=False))
