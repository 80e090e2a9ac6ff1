"""The rows that flipped, of all gates together: each text once, and no more than a page can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_modelcompare.records.report import GateReport, SuiteReport

MOST_CHARACTERS = 1_500_000
"""Of texts in a page."""

LEAST_ROWS = 10
"""Of a gate, however many gates there are."""


@dataclass(slots=True)
class Texts:
    """Texts and names by number: a row that several gates list stands once."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def flipped_rows(suite: SuiteReport, most_characters: int = MOST_CHARACTERS) -> dict[str, Any] | None:
    """What `static/flipped.js` lists; None where no gate has flipped rows.

    Returns:
        `texts`: every text, name and id; `gates`: of each `gate`, `left`, `right`,
        `left_alone`, `right_alone` and `rows` of [id, text, label, left, right, left is
        right, confidence, confidence is left's], the first five by their place in `texts`
        (-1: no answer).
    """
    gates = [gate for gate in suite.gates if gate.flipped and gate.flipped["rows"]]
    if not gates:
        return None
    most = most_rows(gates, most_characters)
    texts = Texts()
    listed = [
        {
            "gate": gate.gate,
            **{key: gate.flipped[key] for key in ("left", "right", "left_alone", "right_alone")},
            "rows": [packed(row, texts) for row in most_confident(gate.flipped["rows"], most)],
        }
        for gate in gates
        if gate.flipped
    ]
    return {"gates": listed, "texts": list(texts.numbers)}


def packed(row: dict[str, Any], texts: Texts) -> list[Any]:
    names = [texts.number(row[key]) if row[key] is not None else -1 for key in ("id", "text", "label", "left", "right")]
    left_is_right = row["alone"] == "left"
    return [*names, left_is_right, row["confidence"], row["confidence_of"] == "left"]


def most_confident(rows: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """So many of each side; each side's rows stand in order."""
    sides = [[row for row in rows if row["alone"] == side] for side in ("left", "right")]
    return [row for side in sides for row in side[:most]]


def most_rows(gates: list[GateReport], most_characters: int) -> int:
    """How many rows of each side every gate may list, so that the texts fit."""
    most = max(len(gate.flipped["rows"]) for gate in gates if gate.flipped)

    def characters(most: int) -> int:
        texts = {row["text"] for gate in gates if gate.flipped for row in most_confident(gate.flipped["rows"], most)}
        return sum(map(len, texts))

    while most > LEAST_ROWS and characters(most) > most_characters:
        most = max(LEAST_ROWS, most * 2 // 3)
    return most
