"""A recommendation in words: what to ship and why, what the runner-up would need, who is out."""

from __future__ import annotations

from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.candidates import candidates, price
from pytest_modelcompare.reports.limits import ACCURACY, Limits, Standing
from pytest_modelcompare.reports.numbers import usd
from pytest_modelcompare.reports.recommendation import Recommendation, Rival
from pytest_modelcompare.reports.recommendation_figures import NAMES, difference, figures, held, shown, side, unit
from pytest_modelcompare.reports.recommendation_rest import assumptions, priors, turning

VERBS = {Standing.BROKEN: "of", Standing.UNSHOWN: "shown to be", Standing.UNMEASURED: "measured,"}


def words(suite: SuiteReport, limits: Limits, found: Recommendation) -> list[str]:
    """What to ship and why, what the runner-up would need, where the answer turns."""
    rows = candidates(suite)
    if not rows:
        return priors(suite)
    if found.choice is None:
        nearest = [f"  The most accurate, {found.runner_up}, would need {'; and '.join(unmet(found, found.runner_up))}"]
        head = f"{suite.name}: no contestant keeps to the limits."
        return [head, *nearest, *excluded(found, rows), *turning(suite, limits)]
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


def reasons(found: Recommendation, rows: dict[str, ContestantReport], limits: Limits) -> list[str]:
    """Why it is the choice, and what is not shown about that."""
    choice = str(found.choice)
    own = found.checks[choice]
    said = [f"keeps to the limit: {held(one)}" for one in own if one.standing is Standing.WITHIN]
    said += [f"not shown to keep to the limit: {held(one)}" for one in own if one.standing is Standing.UNSHOWN]
    said += [f"not measured: {NAMES[one.metric]}" for one in own if one.standing is Standing.UNMEASURED]
    if choice == found.best:
        of_whom = " that keeps to the limits" if found.limits_shown else " that is not shown to break a limit"
        said.append("the most accurate" + (of_whom if own else ""))
    else:
        said.append(f"cheaper than {found.best}, and loses less than {limits.within:g} of its accuracy")
    said += [against(rival, found, limits) for rival in found.rivals]
    if not found.rivals and len(rows) > 1:
        said.append(f"every other contestant {'misses' if found.limits_shown else 'breaks'} a limit")
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


def needed(found: Recommendation, rows: dict[str, ContestantReport], limits: Limits) -> str:
    """What would make the runner-up the choice."""
    name = str(found.runner_up)
    missing = unmet(found, name)
    own, other = price(rows[str(found.choice)], limits), price(rows[name], limits)
    ours, theirs = (rows[one].metrics[ACCURACY].value for one in (str(found.choice), name))
    if own is not None and other is not None and other < own:
        if theirs <= ours - limits.within:
            missing.append(f"an accuracy above {ours - limits.within:.3f}, being the cheaper one")
    elif own is not None and other is not None:
        enough = ours + limits.within
        need = f"an accuracy above {enough:.3f}" if theirs <= enough < 1 else ""
        missing.append(
            " or ".join(part for part in (need, f"a price below {usd(own).lstrip('<')} USD{unit(limits)}") if part)
        )
    elif theirs <= ours < 1:
        missing.append(f"an accuracy above {ours:.3f}")
    return f"would need {'; and '.join(missing)}" if missing else "no figure of its own would make it the choice"


def unmet(found: Recommendation, name: str | None) -> list[str]:
    """The limits that a contestant is not shown to keep, and what would be enough."""
    return [
        f"{NAMES[one.metric]} {VERBS[one.standing]} {side(one.metric)} {shown(one.metric, one.limit)}"
        for one in found.checks.get(str(name), ())
        if one.standing is not Standing.WITHIN
    ]


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
