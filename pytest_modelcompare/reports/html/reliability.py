"""Whether a confidence of 0.8 is right in 8 of 10 rows, and how gates stood in earlier sessions."""

from __future__ import annotations

from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.html.shared import Chart, colours, drawn
from pytest_modelcompare.reports.numbers import share


def reliability(suite: SuiteReport) -> Chart | None:
    """The reliability diagram of every contestant with scores."""
    place = colours(suite)
    series = [
        {
            "name": name,
            "colour": place[name],
            "bins": [[one["confidence"], one["accuracy"], one["low"], one["high"], one["n"]] for one in found["bins"]],
        }
        for name, row in drawn(suite).items()
        if (found := row.calibration)
    ]
    if not series:
        return None
    errors = ", ".join(
        f"{name} {share(row.calibration['ece'])}" for name, row in drawn(suite).items() if row.calibration
    )
    caption = (
        "How often a contestant is right, by how sure it says it is; on the diagonal the two agree, below it is too "
        f"sure. Expected calibration error: {errors}."
    )
    return Chart("reliability", "Reliability", caption, {"series": series}, height=400)


def history(suite: SuiteReport) -> Chart | None:
    """What earlier sessions found of each gate; None until there are two of one."""
    known = {gate: found for gate, found in suite.history.items() if len(found) > 1}
    if not known:
        return None
    caption = "The tested figure in each session, with its interval, against the threshold (dashed)."
    return Chart("history", "Gate history", caption, {"gates": known}, list(known))
