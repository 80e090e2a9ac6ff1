"""The history of a suite, of a gate, and the difference between two sessions, as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytest_modelcompare.execution.figure_change import Change, asked
from pytest_modelcompare.execution.history import of_gate
from pytest_modelcompare.gates.wording import bare_value, format_value, signed
from pytest_modelcompare.records.history import GateThen, Revision, SessionThen
from pytest_modelcompare.reports.numbers import plural
from pytest_modelcompare.reports.sparkline import sparkline

OUTCOMES = ("pass", "fail", "undecided", "error", "skipped")
COMMIT = 9
"""Characters of a commit."""


def suite_lines(sessions: Sequence[SessionThen], limit: int) -> list[str]:
    """Each session's verdicts, newest last, and below each gate's figure over all of them."""
    shown = sessions[-limit:]
    head = ("session", "commit", "branch", "gates", "machine")
    rows = [(when(one), commit(one.revision), one.revision.branch, counted(one), one.machine) for one in shown]
    lines = [f"{sessions[-1].name}: {plural(len(sessions), 'session')}", *aligned([head, *rows])]
    return [*lines, "", *aligned([gate_row(gate, shown) for gate in gates_in(shown)])]


def gates_in(sessions: Sequence[SessionThen]) -> list[GateThen]:
    """Every gate once, as it was said last."""
    found: list[GateThen] = []
    for one in reversed(sessions):
        found += [gate for gate in one.gates if not any(known.is_same(gate.gate, gate.name) for known in found)]
    return found


def gate_row(gate: GateThen, sessions: Sequence[SessionThen]) -> tuple[str, ...]:
    found = of_gate(sessions, gate)
    metric = metric_of(gate)
    last = found[-1]
    value = "" if last["value"] is None else figure(metric, last["value"])
    return sparkline([one["value"] for one in found]), last["outcome"].upper(), value, gate.gate


def gate_lines(sessions: Sequence[SessionThen], gate: GateThen, limit: int) -> list[str]:
    """A gate's verdict and figure in each session."""
    judged = [(one, own) for one in sessions for own in one.gates if own.is_same(gate.gate, gate.name)][-limit:]
    bars = sparkline([own.value for _, own in judged])
    rows = [("session", "commit", "branch", "outcome", "figure", "threshold")]
    for one, own in judged:
        metric = metric_of(own)
        threshold = "" if own.threshold is None else figure(metric, own.threshold)
        outcome = own.outcome.upper()
        rows.append((when(one), commit(one.revision), one.revision.branch, outcome, bounded(metric, own), threshold))
    return [gate.gate, f"{bars}  {plural(len(judged), 'session')}", *aligned(rows)]


def change_lines(before: SessionThen, after: SessionThen, found: Sequence[Change]) -> list[str]:
    """What two sessions found, and what changed between them."""
    lines = [f"{after.name}: {described(before)} → {described(after)}"]
    rows = [(one.what, side(one, one.before), side(one, one.after), changed(one), one.how) for one in found]
    return lines + aligned([("", "before", "after", "change", ""), *rows])


def described(one: SessionThen) -> str:
    where = " ".join(part for part in (commit(one.revision), one.revision.branch) if part)
    return f"{where or one.session[:COMMIT]} of {when(one)}"


def side(one: Change, gate: GateThen | None) -> str:
    """`PASS 0.930`, or without a verdict the figure alone."""
    if gate is None:
        return "–"
    value = "" if gate.value is None else figure(one.metric, gate.value)
    return f"{gate.outcome.upper()} {value}".strip() or "–"


def changed(one: Change) -> str:
    """`+0.003 (-0.002 to +0.007)`, a star where it is shown to be one."""
    if one.value is None:
        return ""
    if one.low is None or one.high is None:
        return change_figure(one.metric, one.value)
    bounds = f"{change_figure(one.metric, one.low)} to {change_figure(one.metric, one.high)}"
    return f"{change_figure(one.metric, one.value)} ({bounds}){' *' if one.shown else ''}"


def counted(one: SessionThen) -> str:
    counts = Counter(gate.outcome for gate in one.gates)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])


def metric_of(gate: GateThen) -> str | None:
    """In whose unit a gate's figure is."""
    question = asked(gate)
    return None if question is None else question.metrics[0].name


def figure(metric: str | None, value: float) -> str:
    return f"{value:.4g}" if metric is None else format_value(metric, value)


def change_figure(metric: str | None, value: float) -> str:
    return f"{value:+.4g}" if metric is None else signed(metric, value, bare=True)


def bounded(metric: str | None, gate: GateThen) -> str:
    if gate.value is None:
        return ""
    if gate.low is None or gate.high is None:
        return figure(metric, gate.value)
    low, high = (figure(None, one) if metric is None else bare_value(metric, one) for one in (gate.low, gate.high))
    return f"{figure(metric, gate.value)} ({low} to {high})"


def when(one: SessionThen) -> str:
    return one.created[:16].replace("T", " ")


def commit(revision: Revision) -> str:
    return revision.commit[:COMMIT] + ("+" if revision.dirty else "")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns two spaces apart; the last is as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
