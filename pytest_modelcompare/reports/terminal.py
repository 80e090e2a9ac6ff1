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
from pytest_modelcompare.reports.notes import all_notes, described, spent
from pytest_modelcompare.reports.numbers import plural
from pytest_modelcompare.reports.table import LEGEND_OF_ABOUT, some_are_about
from pytest_modelcompare.reports.terminal_gates import STYLES, write_gates
from pytest_modelcompare.reports.terminal_table import LEGEND, any_marked, table

WIDEST = 200


class Terminal(Protocol):
    """As much of pytest's terminal reporter as a summary needs."""

    @property
    def _tw(self) -> TerminalWriter: ...

    @property
    def verbosity(self) -> int: ...

    def write_sep(self, sep: str, title: str) -> None: ...


class TerminalWriter(Protocol):
    fullwidth: int
    hasmarkup: bool

    def write(self, msg: str) -> None: ...


def write_summary(report: SessionReport, terminal: Terminal) -> None:
    """Write the summary to pytest's terminal, in its width and with colour only where it has colour."""
    writer = terminal._tw
    terminal.write_sep("=", "modelcompare")
    verbose = terminal.verbosity > 0
    writer.write(rendered(report, width=min(writer.fullwidth, WIDEST), colour=writer.hasmarkup, verbose=verbose))


def rendered(report: SessionReport, *, width: int, colour: bool, verbose: bool = True) -> str:
    """The summary as text, with ANSI colours if `colour`; `verbose`: with the notes that no verdict and no cost rests
    on.
    """
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
        write_suite(console, suite, verbose=verbose)
    write_note(console, spent(report))
    return obeyed_by_none("".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines()))


def write_suite(console: Console, suite: SuiteReport, *, verbose: bool) -> None:
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
        if some_are_about(suite):
            write_note(console, LEGEND_OF_ABOUT)
        console.print()
    write_gates(console, suite)
    if suite.gates:
        console.print()
    every = all_notes(suite)
    shown = [note for note in every if verbose or note.decisive]
    for note in shown:
        write_note(console, note.text)
    if left_out := len(every) - len(shown):
        write_note(console, f"{plural(left_out, 'more note')} with -v and in the reports")
    console.print()


def write_note(console: Console, text: str) -> None:
    console.print(Padding(Text(printable(text), style="dim"), (0, 0, 0, 2), expand=False))
