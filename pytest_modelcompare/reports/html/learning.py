"""How accuracy grows with training rows, and what a sweep tried."""

from __future__ import annotations

import re
from typing import Any

from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.html.shared import Chart, colours, drawn, spans_decades
from pytest_modelcompare.reports.winners import figure

SIZE = re.compile(r"train\.\w+=[^,\]]+(?:, )?")
"""The part of a member's name that says how many rows it learned from."""


def curve_of(name: str, row: ContestantReport) -> str:
    """Contestants that differ only by their training rows share a curve, named so."""
    if row.member_of is None:
        return f"{row.method}: {row.model}" if row.model else row.method
    others = SIZE.sub("", name.removeprefix(row.member_of)[1:-1]).strip().removesuffix(",")
    return f"{row.member_of}[{others}]" if others else row.member_of


def efficiency(suite: SuiteReport) -> Chart | None:
    """Data-efficiency curves; None where no two contestants differ by their training rows alone."""
    place = colours(suite)
    curves: dict[str, dict[str, Any]] = {}
    for name, row in suite.contestants.items():
        accuracy = figure(row, "accuracy")
        if row.train_rows is None or accuracy is None or row.selected is not None:  # a sweep's members stand for it
            continue
        colour = place[row.member_of or name]
        curve = curves.setdefault(curve_of(name, row), {"colour": colour, "names": [], "points": []})
        curve["names"].append(name)
        curve["points"].append([row.train_rows, accuracy.value, accuracy.low, accuracy.high])
    if not any(len({point[0] for point in curve["points"]}) > 1 for curve in curves.values()):
        return None
    series = [
        {
            "name": title if len(curve["names"]) > 1 else curve["names"][0],
            "colour": curve["colour"],
            "points": sorted(curve["points"]),
        }
        for title, curve in curves.items()
    ]
    untrained = {name: row for name, row in drawn(suite).items() if row.train_rows is None} | suite.references
    lines = [{"name": name, "y": one.value} for name, row in untrained.items() if (one := figure(row, "accuracy"))]
    sizes = [point[0] for one in series for point in one["points"]]
    caption = "Accuracy on the test rows by the number of rows learned from; dashed, those that learn from none here."
    data = {"series": series, "lines": lines, "log": spans_decades(sizes)}
    return Chart("efficiency", "Data efficiency", caption, data)


def sweeps(suite: SuiteReport) -> Chart | None:
    """Every sweep's members: what they were chosen by, and what they reach on the test rows."""
    found = {name: members_of(suite, name) for name, row in suite.contestants.items() if row.selected is not None}
    found = {name: members for name, members in found.items() if len(members) > 1}
    if not found:
        return None
    caption = (
        "Hollow: accuracy on the validation rows, by which the member was chosen that the plain name stands for "
        "(marked). Filled: on the test rows, which took no part in the choice."
    )
    most = max(len(members) for members in found.values())
    data = {"sweeps": found, "colours": colours(suite)}
    return Chart("sweep", "Sweeps", caption, data, list(found), 140 + 28 * min(most, 40))


def members_of(suite: SuiteReport, name: str) -> list[dict[str, Any]]:
    chosen = suite.contestants[name].selected
    return [
        {
            "setting": member.removeprefix(name)[1:-1],
            "validation": (row.validation or {}).get("accuracy"),
            "test": accuracy.value,
            "low": accuracy.low,
            "high": accuracy.high,
            "selected": member == chosen,
        }
        for member, row in suite.contestants.items()
        if row.member_of == name and (accuracy := figure(row, "accuracy"))
    ]
