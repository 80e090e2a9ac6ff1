"""A recommendation in words."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.limits import ACCURACY, COST, LATENCY, SIZE, Check, Limits, Standing, bounds_of
from pytest_modelcompare.reports.numbers import milliseconds, usd
from pytest_modelcompare.reports.recommendation import Gap, Recommendation, Rival, candidates, fixed_cost, price
from pytest_modelcompare.reports.turning_points import Turn, latency_turns, volume_turns

NAMES = {LATENCY: "95th percentile of latency", COST: "cost", SIZE: "size", ACCURACY: "accuracy"}
PRIORS = (
    "start with DistilBERT: 40 % smaller and 60 % faster than BERT for some 3 % of its GLUE score (Sanh et al. 2019)",
    "RoBERTa where accuracy counts most (Liu et al. 2019)",
    "ALBERT where storage does: a tenth of BERT's weights, no faster (Lan et al. 2019)",
)
"""Textbook rules of thumb, for what was not measured."""


FIGURES = {ACCURACY: "accuracy ", LATENCY: "p95 ", COST: "", SIZE: ""}
VERBS = {Standing.BROKEN: "of", Standing.UNSHOWN: "shown to be", Standing.UNMEASURED: "measured,"}
UNITS = {LATENCY: " ms", COST: " USD per 1,000", SIZE: " MB"}


def shown(metric: str, value: float) -> str:
    """A figure with its unit."""
    if metric == ACCURACY:
        return f"{value:.3f}"
    number = milliseconds(value) if metric == LATENCY else usd(value) if metric == COST else f"{value:,.1f}"
    return f"{number}{UNITS[metric]}"


def words(suite: SuiteReport, limits: Limits, found: Recommendation) -> list[str]:
    """What to ship and why, what the runner-up would need, where the answer turns."""
    rows = candidates(suite)
    if not rows:
        return priors(suite)
    if found.choice is None:
        return [f"{suite.name}: no contestant keeps to the limits.", *excluded(found, rows), *turning(suite, limits)]
    choice, row = found.choice, rows[found.choice]
    lines = (
        [f"{suite.name}: ship {choice}."] if found.shown else [f"{suite.name}: {choice}, but not shown to be the one."]
    )
    lines += [f"  {choice}: {figures(row, limits)}"]
    lines += [f"  {one}" for one in reasons(found, rows, limits)]
    if found.runner_up is not None:
        lines.append(f"  Runner-up: {found.runner_up}, {figures(rows[found.runner_up], limits)}")
        lines.append(f"    {needed(found, rows, limits)}")
    return [*lines, *excluded(found, rows), *turning(suite, limits), *assumptions(suite, found, limits)]


def figures(row: ContestantReport, limits: Limits) -> str:
    """The figures that count, with their intervals."""
    found = []
    for metric in (ACCURACY, LATENCY, COST, SIZE):
        if (figure := row.metrics.get(metric)) is not None:
            low, high = bounds_of(metric, figure)
            between = f" ({low:.3f} to {high:.3f})" if metric == ACCURACY and low > -inf else ""
            found.append(f"{FIGURES[metric]}{shown(metric, figure.value)}{between}")
    monthly = price(row, limits) if limits.per_month is not None else None
    return ", ".join(found) + (f", {usd(monthly)} USD a month" if monthly is not None else "")


def reasons(found: Recommendation, rows: dict[str, ContestantReport], limits: Limits) -> list[str]:
    """Why it is the choice, and what is not shown about that."""
    choice = str(found.choice)
    own = found.checks[choice]
    said = [f"keeps to the limit: {held(one)}" for one in own if one.standing is Standing.WITHIN]
    said += [f"not shown to keep to the limit: {held(one)}" for one in own if one.standing is Standing.UNSHOWN]
    said += [f"not measured: {NAMES[one.metric]}" for one in own if one.standing is Standing.UNMEASURED]
    if choice == found.best:
        said.append("the most accurate" + (" that keeps to the limits" if own else ""))
    else:
        said.append(f"cheaper than {found.best}, and loses less than {limits.within:g} of its accuracy")
    said += [against(rival, found, limits) for rival in found.rivals]
    if not found.rivals and len(rows) > 1:
        said.append("no other contestant keeps to the limits")
    return said


def against(rival: Rival, found: Recommendation, limits: Limits) -> str:
    """One comparison behind the choice."""
    left = found.best if rival.cheaper else found.choice
    gap = difference(rival.gap)
    claim = (
        f"{rival.name} is cheaper, and loses more than {limits.within:g}"
        if rival.cheaper
        else (
            f"loses less than {limits.within:g} against {rival.name}, which costs more"
            if rival.margin < 0
            else f"more accurate than {rival.name}"
        )
    )
    return f"{'shown' if rival.shown else 'NOT SHOWN'}: {claim}: {left} less {rival.name} is {gap}"


def difference(gap: Gap) -> str:
    how = "same rows" if gap.paired else "from the two intervals, unpaired"
    return f"{gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}, {how})"


def held(one: Check) -> str:
    """`95th percentile of latency 12.0 to 14.1 ms, at most 25 ms`."""
    assert one.figure is not None
    low, high = bounds_of(one.metric, one.figure)
    value = shown(one.metric, one.figure.value)
    between = f" ({shown(one.metric, low)} to {shown(one.metric, high)})" if low < high else ""
    return f"{NAMES[one.metric]} {value}{between}, {side(one.metric)} {shown(one.metric, one.limit)}"


def side(metric: str) -> str:
    return "at least" if metric == ACCURACY else "at most"


def needed(found: Recommendation, rows: dict[str, ContestantReport], limits: Limits) -> str:
    """What would make the runner-up the choice."""
    name = str(found.runner_up)
    missing = [
        f"{NAMES[one.metric]} {VERBS[one.standing]} {side(one.metric)} {shown(one.metric, one.limit)}"
        for one in found.checks[name]
        if one.standing is not Standing.WITHIN
    ]
    own, other = price(rows[str(found.choice)], limits), price(rows[name], limits)
    ours, theirs = (rows[one].metrics[ACCURACY].value for one in (str(found.choice), name))
    if own is not None and other is not None and other < own:
        if theirs <= ours - limits.within:
            missing.append(f"an accuracy above {ours - limits.within:.3f}, being the cheaper one")
    elif own is not None and other is not None:
        enough = ours + limits.within
        need = f"an accuracy above {enough:.3f}" if theirs <= enough < 1 else ""
        missing.append(" or ".join(part for part in (need, f"a price below {usd(own)} USD{unit(limits)}") if part))
    elif theirs <= ours < 1:
        missing.append(f"an accuracy above {ours:.3f}")
    return f"would need {'; and '.join(missing)}" if missing else "no figure of its own would make it the choice"


def unit(limits: Limits) -> str:
    return " per 1,000" if limits.per_month is None else " a month"


def excluded(found: Recommendation, rows: dict[str, ContestantReport]) -> list[str]:
    """What keeps every other contestant from the choice."""
    considered = {found.choice, *(rival.name for rival in found.rivals)}
    lines = []
    for name in rows:
        against_it = [one for one in found.checks[name] if one.standing is not Standing.WITHIN]
        if name not in considered and against_it:
            said = [
                f"{NAMES[one.metric]} is not measured" if one.figure is None else f"{held(one)}: {one.standing}"
                for one in against_it
            ]
            lines.append(f"  Out: {name}: {'; '.join(said)}")
    return lines


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
