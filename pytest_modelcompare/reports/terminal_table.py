"""The table of contestants in a terminal: the best of each column marked, the free reference lines below."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.notes import shown_name
from pytest_modelcompare.reports.table import WORDS, Column, columns_of
from pytest_modelcompare.reports.winners import winners

MARK = "*"
LEGEND = "* best of its column by value; a gate says whether by more than luck"
NARROW = 100
LEAST_NAMES = 16
BESIDE_NAMES = 64
"""Columns of text that the narrowest table's figures take."""


def table(suite: SuiteReport, width: int) -> Table:
    """As many columns as the width takes."""
    named = members_width(suite, width)
    columns = fitting(suite, width, named)
    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), collapse_padding=width < NARROW)
    if named:  # members differ at their end: they are folded, between two settings where there is room
        shown.add_column("contestant", overflow="fold", min_width=named)
    else:
        shown.add_column("contestant", no_wrap=True, overflow="ellipsis", min_width=6)
    cells = []
    for title, *below in columns.values():
        shown.add_column(title, no_wrap=True)
        cells.append(below)
    lines = list(zip(*cells, strict=True))
    for (name, row), line in zip(suite.contestants.items(), lines, strict=False):
        shown.add_row(Text(shown_name(name, row)), *line)
    if suite.references:
        shown.add_section()
    for name, line in zip(suite.references, lines[len(suite.contestants) :], strict=True):
        shown.add_row(Text(name), *line, style="dim")
    return shown


def fitting(suite: SuiteReport, width: int, named: int) -> dict[Column, list[Text]]:
    """The columns that the width takes, each with its cells; what gives way goes before names are cut short.

    Args:
        named: how wide the names of sweeps' members stand; 0 without any.
    """
    found = {column: column_cells(suite, column) for column in columns_of(suite, width - max(0, named - LEAST_NAMES))}
    names = named or min(LEAST_NAMES, max(map(len, (*suite.contestants, *suite.references, "contestant"))))
    gap = 2 if width < NARROW else 3
    while names + sum(gap + max(cell.cell_len for cell in cells) for cells in found.values()) > width:
        last = max(found, key=lambda column: column.gives_way)
        if last.gives_way == 0:
            break
        del found[last]
    return found


def column_cells(suite: SuiteReport, column: Column) -> list[Text]:
    """Title, contestants, reference lines; the best marked, in a place of its own so that numbers stay aligned."""
    best = winners(suite, column.metric) if column.metric else frozenset()
    texts = [column.title, *(column.cell(row) for row in (*suite.contestants.values(), *suite.references.values()))]
    marks = [False, *(name in best for name in suite.contestants), *(False for _ in suite.references)]
    # rich would strip the place of a mark that is not there, so it is not the one to align
    widest = 0 if column.title in WORDS else max(map(len, texts))
    blank = " " if best else ""
    return [
        Text(f"{text.rjust(widest)}{MARK if mark else blank}", style="bold" if mark else "")
        for text, mark in zip(texts, marks, strict=True)
    ]


def any_marked(suite: SuiteReport, width: int) -> bool:
    columns = fitting(suite, width, members_width(suite, width))
    return any(winners(suite, column.metric) for column in columns if column.metric)


def members_width(suite: SuiteReport, width: int) -> int:
    """How wide the names of sweeps' members stand: as their longest setting, where there is room; 0 without any."""
    members = [shown_name(name, row) for name, row in suite.contestants.items() if row.member_of]
    longest = max((len(part) + 1 for name in members for part in name.split(", ")), default=0)
    return longest and max(LEAST_NAMES, min(longest, width - BESIDE_NAMES))
