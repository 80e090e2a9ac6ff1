"""What a recommendation says beside the choice: where it turns, what it rests on, what holds where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelcompare.records.report import SuiteReport
from pytest_modelcompare.reports.candidates import candidates, fixed_cost
from pytest_modelcompare.reports.limits import COST, LATENCY, Limits
from pytest_modelcompare.reports.recommendation import Recommendation
from pytest_modelcompare.reports.recommendation_figures import shown
from pytest_modelcompare.reports.turning_points import Turn, latency_turns, volume_turns

PRIORS = (
    "start with DistilBERT: 40 % smaller and 60 % faster than BERT for some 3 % of its GLUE score (Sanh et al. 2019)",
    "RoBERTa where accuracy counts most (Liu et al. 2019)",
    "ALBERT where storage does: a tenth of BERT's weights, no faster (Lan et al. 2019)",
)
"""Textbook rules of thumb, for what was not measured."""


def turning(suite: SuiteReport, limits: Limits) -> list[str]:
    """Where the answer would be another."""
    lines = []
    by_latency = latency_turns(suite, limits)
    if len(by_latency) > 1:
        lines.append(f"  By limit of latency (95th percentile): {ranges(by_latency, LATENCY)}")
    by_volume = volume_turns(suite, limits)
    if len(by_volume) > 1:
        lines.append(f"  By volume: {ranges(by_volume, None)}")
    return lines


def ranges(found: Sequence[Turn], metric: str | None) -> str:
    """`below 3.2 ms nothing; from 3.2 ms words; from 15 ms minilm`."""

    def start(turn: Turn) -> str:
        return f"{turn.start:,.0f} predictions a month" if metric is None else shown(metric, turn.start)

    first = f"below {start(found[1])} {found[0].choice or 'nothing'}"
    return "; ".join([first, *(f"from {start(one)} {one.choice or 'nothing'}" for one in found[1:])])


def assumptions(suite: SuiteReport, found: Recommendation, limits: Limits) -> list[str]:
    """What the figures rest on."""
    lines = []
    if len(found.rivals) > 1:
        lines.append(
            f"  Each bound of a comparison at {found.confidence:.1%}, so that all {len(found.rivals)} hold together."
        )
    rows = candidates(suite)
    if limits.per_month is not None:
        lines.append("  A month costs one training and its predictions in steady use, at the stated utilisation.")
        unknown = [name for name, row in rows.items() if fixed_cost(row) is None or COST not in row.metrics]
        lines += [f"  Without a price: {', '.join(unknown)}"] if unknown else []
    machines = dict.fromkeys(row.timing_machine for row in rows.values() if row.timing_machine)
    lines += (
        [f"  Latencies as measured on {' and on '.join(map(str, machines))}; measure where you serve."]
        if machines
        else []
    )
    lost = [name for name in suite.contestants if name not in rows and suite.contestants[name].member_of is None]
    lines += [f"  Not measured row by row, so not considered: {', '.join(lost)}"] if lost else []
    return lines


def priors(suite: SuiteReport) -> list[str]:
    """Where nothing was measured."""
    head = f"{suite.name}: nothing was measured yet. Until `pytest --modelcompare` did, the textbook's rules of thumb:"
    return [head, *(f"  {one}" for one in PRIORS), "  They are no measurement of your data."]
