"""Which column of a table holds the text and which the label, by what stands in them."""

from __future__ import annotations

from statistics import fmean

from pytest_modelcompare.data.text_table import Table

LABEL_NAMES = ("label", "labels", "category", "class", "intent", "target", "sentiment", "topic", "y")
MOST_LABELS = 500
ROWS_PER_LABEL = 2
"""Fewer rows per value, and a column names things rather than sorts them."""


def text_column(table: Table) -> str:
    """The column with the longest cells on average."""
    return max(table.columns, key=lambda name: fmean(len(cell or "") for cell in table.columns[name]))


def label_column(table: Table, text: str) -> str | None:
    """A column that is called so, else the one with the fewest distinct values, two at least; None without any."""
    counts = {name: len(set(cells)) for name, cells in table.columns.items() if name != text}
    most = min(MOST_LABELS, len(table) // ROWS_PER_LABEL)
    few = {name: count for name, count in counts.items() if 2 <= count <= most}
    called = [name for known in LABEL_NAMES for name in few if name.lower() == known]
    return called[0] if called else min(few, key=lambda name: few[name], default=None)
