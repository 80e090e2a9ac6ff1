"""Where contestants are strong and weak: the heat map by class, and what is taken for what."""

from __future__ import annotations

from typing import Any

from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.html.shared import Chart, drawn

MOST_LABELS = 120
"""Rows of the heat map: those with the lowest figures."""

MOST_CONFUSIONS = 10
FIGURES = {"F1": "f1", "recall": "recall", "precision": "precision"}


def heat_map(suite: SuiteReport) -> Chart | None:
    """F1, recall and precision of every label for every contestant, the hardest label first."""
    rows = {name: row.per_label for name, row in drawn(suite).items() if row.per_label}
    if not rows:
        return None
    known = list(dict.fromkeys(label for by_label in rows.values() for label in by_label))
    hardest = sorted(known, key=lambda label: mean_f1(rows, label))
    labels = hardest[:MOST_LABELS]
    values = {
        title: [
            [by_label[label][figure] if label in by_label else None for by_label in rows.values()] for label in labels
        ]
        for title, figure in FIGURES.items()
    }
    first = next(iter(rows.values()))
    counts = [first[label]["n"] if label in first else 0 for label in labels]
    cut = f" The {len(labels)} hardest of {len(known)} classes." if len(known) > len(labels) else ""
    caption = f"The stronger the shade, the better; the hardest class stands first.{cut}"
    data = {"contestants": list(rows), "labels": labels, "values": values, "n": counts}
    return Chart(
        "heat", "By class", caption, data, list(FIGURES), 110 + (22 if len(labels) <= 30 else 15) * len(labels)
    )


def mean_f1(rows: dict[str, dict[str, dict[str, float]]], label: str) -> float:
    found = [by_label[label]["f1"] for by_label in rows.values() if label in by_label]
    return sum(found) / len(found)


def confusion(suite: SuiteReport) -> Chart | None:
    """A confusion matrix per contestant."""
    labels: list[str] = suite.data.get("labels", [])
    pairs = {name: row.confusion for name, row in drawn(suite).items() if row.confusion}
    if not pairs or not labels:
        return None
    caption = (
        "Share of each class's test rows (down) by what was answered (across); the diagonal is right. Shaded by the "
        "root, so that rare mistakes are seen."
    )
    data = {"labels": labels, "pairs": pairs}
    return Chart("confusion", "Confusion matrices", caption, data, list(pairs), 230 + min(450, 40 * len(labels)))


def most_confused(suite: SuiteReport) -> dict[str, list[dict[str, Any]]]:
    """The most frequent mistakes of each contestant: `true`, `answered` (None for no answer), `rows`."""
    labels: list[str] = suite.data.get("labels", [])
    found = {}
    for name, row in drawn(suite).items():
        wrong = [(true, answered, rows) for true, answered, rows in row.confusion if true != answered]
        if wrong and labels:
            found[name] = [
                {"true": labels[true], "answered": labels[answered] if answered >= 0 else None, "rows": rows}
                for true, answered, rows in wrong[:MOST_CONFUSIONS]
            ]
    return found
