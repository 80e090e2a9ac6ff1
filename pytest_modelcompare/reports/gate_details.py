"""What stands below a gate's line in the terminal: rows that flipped, parts that differ, luck that is used up."""

from __future__ import annotations

from typing import Any

from pytest_modelcompare.records.report import GateReport
from pytest_modelcompare.reports.numbers import plural, share

MOST_FLIPS = 2
"""Rows shown of each kind."""

MOST_PARTS = 3
SHOWN_TEXT = 60
USED_UP = 0.05
"""p times the number of distinct models from which fresh rows are advised."""


def details(gate: GateReport) -> list[str]:
    """Lines for one gate, most useful first; of a gate that holds only what changes how it reads."""
    # of one contestant's figure the weak parts tell something; that it holds on the easy ones does not
    parts = [part for part in gate.parts if gate.right is not None or part["outcome"] == "fail"]
    lines = [part_line(part) for part in parts[:MOST_PARTS]]
    if len(parts) > MOST_PARTS:
        lines.append(f"and {len(parts) - MOST_PARTS} more parts of the rows; the report lists them")
    if gate.outcome in ("fail", "undecided") and gate.flipped:
        lines += flipped_lines(gate.flipped)
    if (judged := gate.judged) and gate.outcome == "pass" and (judged["p_times_models"] or 0) > USED_UP:
        lines.append(
            f"{judged['models']} models were judged on these rows since {judged['since'][:10]}: "
            f"p x {judged['models']} = {judged['p_times_models']:.2f}; fresh test rows would tell luck from skill"
        )
    return lines


def part_line(part: dict[str, Any]) -> str:
    verb = "fails" if part["outcome"] == "fail" else "holds"
    rows = plural(part["n"], "row")
    return f"{verb} where {part['where']}: {part['value']:.3f} on {rows} (p = {part['p_value']:.2g} over all parts)"


def flipped_lines(flipped: dict[str, Any]) -> list[str]:
    """A few rows that the right side alone, and the left side alone, got right."""
    lines = []
    for alone, count in (("right", flipped["right_alone"]), ("left", flipped["left_alone"])):
        rows = [row for row in flipped["rows"] if row["alone"] == alone][:MOST_FLIPS]
        wrong = "left" if alone == "right" else "right"
        lines += [
            f"only {flipped[alone]} is right ({count:,}): {shortened(row['text'])!r} is {row['label']}, "
            f"{flipped[wrong]} said {row[wrong] or 'nothing'}{sure(row, wrong)}"
            for row in rows
        ]
    return lines


def sure(row: dict[str, Any], wrong: str) -> str:
    """How sure the side in the wrong was."""
    known = row["confidence"] is not None and row["confidence_of"] == wrong
    return f" ({share(row['confidence'])})" if known else ""


def shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_TEXT else line[: SHOWN_TEXT - 1] + "…"
