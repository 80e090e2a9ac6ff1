"""The summary at the end of a run: a table per suite, then each gate's line, failures first."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pytest_modelcompare.records.report import ContestantReport, GateReport, SessionReport, SuiteReport
from pytest_modelcompare.reports.gate_details import details
from pytest_modelcompare.reports.numbers import plural, share, usd
from pytest_modelcompare.reports.sparkline import history_bars, history_lines
from pytest_modelcompare.reports.table import columns_for

STYLES = {"pass": "green", "fail": "bold red", "undecided": "yellow", "error": "bold red", "skipped": "dim"}
ORDER = ("error", "fail", "undecided", "skipped", "pass")
WIDEST = 200
LEAST_NAMES = 16
BESIDE_NAMES = 64
"""Columns of text that the narrowest table's figures take."""

WORTH_A_CASCADE = 0.005
"""Accuracy that a cascade must gain over the better of its two to be mentioned."""

LONGEST_QUOTE = 40
"""Characters of a text that a note quotes."""

LEAST_ROOM = 40
"""Narrower than this, numbers stand better below their gate than beside it."""


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
    console.print(Padding(Text(spent(report), style="dim"), (0, 0, 0, 2), expand=False))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def write_suite(console: Console, suite: SuiteReport) -> None:
    """One suite: what it is about, its table, its gates, what to know when reading them."""
    console.print(Text(suite.name, style="bold"), Text(described(suite), style="dim"))
    if suite.contestants:
        console.print(table(suite, console.width))
        console.print()
    for gate in sorted(suite.gates, key=lambda gate: ORDER.index(gate.outcome)):
        write_gate(console, gate, name_width(suite, console.width), suite.history.get(gate.gate, []))
    if suite.gates_total > len(suite.gates):
        console.print(f"  {len(suite.gates)} of {suite.gates_total} gates were selected", style="dim", markup=False)
    for note in notes(suite):
        console.print(Padding(Text(note, style="dim"), (0, 0, 0, 2), expand=False))
    console.print()


def described(suite: SuiteReport) -> str:
    data = suite.data
    if not data.get("test_rows"):
        return f"· {suite.path}"
    labels = plural(len(data["labels"]), "label")
    held_out = f"{data['validation_rows']:,} validation rows, " if data.get("validation_rows") else ""
    return f"· {labels}, {data['train_rows']:,} training rows, {held_out}{data['test_rows']:,} test rows"


def table(suite: SuiteReport, width: int) -> Table:
    """The table of contestants, as many columns as the width takes."""
    named = members_width(suite, width)
    columns = columns_for(width - max(0, named - LEAST_NAMES))
    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), collapse_padding=width < 100)
    if named:  # members differ at their end: they are folded, between two settings where there is room
        shown.add_column("contestant", overflow="fold", min_width=named)
    else:
        shown.add_column("contestant", no_wrap=True, overflow="ellipsis", min_width=6)
    for column in columns:
        shown.add_column(column.title, justify="left" if column.title in ("from", "method") else "right", no_wrap=True)
    for name, row in suite.contestants.items():
        shown.add_row(Text(shown_name(name, row)), *(Text(column.cell(row)) for column in columns))
    for name, row in suite.references.items():
        shown.add_row(Text(name), *(Text(column.cell(row)) for column in columns), style="dim")
    return shown


def members_width(suite: SuiteReport, width: int) -> int:
    """How wide the names of sweeps' members stand: as their longest setting, where there is room; 0 without any."""
    members = [shown_name(name, row) for name, row in suite.contestants.items() if row.member_of]
    longest = max((len(part) + 1 for name in members for part in name.split(", ")), default=0)
    return longest and max(LEAST_NAMES, min(longest, width - BESIDE_NAMES))


def shown_name(name: str, row: ContestantReport) -> str:
    """A contestant's name; of a sweep's member, what it adds to the name above."""
    return name if row.member_of is None else f" {name.removeprefix(row.member_of)[1:-1]}"


def name_width(suite: SuiteReport, width: int) -> int:
    """How wide the gates' sentences stand: as the longest needs, but at most half the line."""
    longest = max((len(gate.gate) for gate in suite.gates), default=0)
    return min(longest, width // 2)


def write_gate(console: Console, gate: GateReport, width: int, history: Sequence[Mapping[str, Any]] = ()) -> None:
    """The sentence, the outcome, the numbers: side by side where there is room, else the numbers below."""
    outcome = Text(gate.outcome.upper().ljust(9), style=STYLES[gate.outcome])
    message = Text(" ".join(gate.message.split()))
    head = Text("  ") + Text(gate.gate.ljust(width)) + Text("  ") + outcome + Text("  ")
    room = console.width - head.cell_len
    if len(gate.gate) <= width and (message.cell_len <= room or room >= LEAST_ROOM):
        indent = " " * head.cell_len
    else:
        head, indent, room = Text("  ") + outcome + Text(" ") + Text(gate.gate + "\n"), " " * 12, console.width - 12
        head += Text(indent)
    lines = message.wrap(console, room)
    bars = history_bars(history)
    beside = bool(lines) and lines[-1].cell_len + len(bars) + 2 <= room
    for number, line in enumerate(lines):
        line.rstrip()
        if bars and beside and number == len(lines) - 1:
            line += Text(f"  {bars}", style="dim")
        console.print((Text(indent) if number else head) + line, no_wrap=True, overflow="ignore", crop=False)
    for text in [*history_lines(history, beside=beside), *details(gate)]:
        console.print(Padding(Text(text, style="dim"), (0, 0, 0, 12), expand=False))


def notes(suite: SuiteReport) -> list[str]:
    """What changes how the figures read: data warnings, assumptions behind costs, dates of recordings."""
    found = [f"data: {warning}" for warning in suite.data.get("warnings", [])]
    if (judged := suite.data.get("judged")) and judged["times"] > 1:
        models = plural(judged["models"], "distinct model")
        since = f"since {judged['since'][:10]}"
        found.append(f"these test rows were judged in {judged['times']:,} sessions, with {models}, {since}")
    found += [f"{names}: cost at {text}" for text, names in shared(suite, lambda row: row.cost_assumptions)]
    for name, row in suite.contestants.items():
        if row.recorded:
            found.append(f"{name}: answers given {row.recorded}")
        if row.failures:
            kinds = ", ".join(f"{number} {kind}" for kind, number in row.failures.items())
            found.append(f"{name}: rows without a usable answer count as wrong ({kinds})")
            found += [f"{name}: {text}" for text in example_notes(row)]
        found += [f"{name}: {note}" for note in row.notes]
        found += [f"{name}: {text}" for text in cascade_notes(row)]
    found += [
        f"{names}: timed one row at a time on {text}" for text, names in shared(suite, lambda row: row.timing_machine)
    ]
    return found


def example_notes(row: ContestantReport) -> list[str]:
    """A few rows of each kind of failure, on one line."""
    return [
        f"{kind}, e.g. " + "; ".join(f"row {one.id}: {short(one.text)} → {short(one.answer)}" for one in examples)
        for kind, examples in row.failure_examples.items()
    ]


def short(text: str) -> str:
    """The beginning of a text as a quotation of one line."""
    line = " ".join(text.split())
    return f"“{line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + '…'}”"


def cascade_notes(row: ContestantReport) -> list[str]:
    """Where handing the least sure rows to another contestant would beat both."""
    found = []
    for other, hand_over in row.deferral.items():
        alone = max(hand_over["small_accuracy"], hand_over["other_accuracy"])
        gain = hand_over["cascade_accuracy"] - alone
        if gain >= WORTH_A_CASCADE and hand_over["threshold"] is not None:
            found.append(
                f"a cascade that asks {other} below a confidence of {share(hand_over['threshold'])} "
                f"({hand_over['deferred_share']:.0%} of the rows) would reach {share(hand_over['cascade_accuracy'])} "
                "on these rows; tune it on others"
            )
    return found


def shared(suite: SuiteReport, text_of: Callable[[ContestantReport], str | None]) -> list[tuple[str, str]]:
    """A text that several contestants share, with their names."""
    by_text: dict[str, list[str]] = {}
    for name, row in suite.contestants.items():
        if text := text_of(row):
            by_text.setdefault(text, []).append(name)
    return [(text, ", ".join(names)) for text, names in by_text.items()]


def spent(report: SessionReport) -> str:
    """What this session used, in one line."""
    spend = report.spend
    parts = [plural(spend.trainings, "training"), f"{plural(spend.stored_runs, 'run')} from the store"]
    if spend.calls or spend.stored_answers:
        parts += [plural(spend.calls, "LLM call"), f"{plural(spend.stored_answers, 'answer')} from the store"]
        parts.append(f"{usd(spend.usd)} USD")
    return "this session: " + ", ".join(parts)
