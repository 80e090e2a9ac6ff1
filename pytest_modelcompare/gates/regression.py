"""`A does not regress on M [within X]`: the same contestant, then and now."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

from scipy.special import ndtr, ndtri

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.claims import DoesNotRegress, Metric
from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.question import Question, Term
from pytest_modelcompare.gates.wording import format_value, signed
from pytest_modelcompare.metrics.catalogue import METRICS
from pytest_modelcompare.metrics.estimate import estimate
from pytest_modelcompare.records import Estimate, Evidence, Figure, Inference, Outcomes, Verdict
from pytest_modelcompare.records.accepted import AcceptedFigure, Against, Baseline
from pytest_modelcompare.statistics.influence import exact, spread_of

UNTESTED = ("identical answers", "exact")
THEN = "accepted"
"""The name under which the accepted answers take part."""


def judge_regression(claim: DoesNotRegress, baseline: Baseline | None, confidence: float, *, point: bool) -> Verdict:
    """Red only where a loss is shown; with `within X`, green only where less than X is shown to be lost.

    Row by row where the test rows are the ones that were accepted on; else the two
    figures unpaired, each with its own error, and the verdict says so.

    Raises:
        GateError: nothing was accepted yet.
    """
    if baseline is None:
        raise GateError(
            f"nothing was accepted yet for {claim.a}.{claim.measure}",
            fix="run `pytest --modelcompare --modelcompare-accept` and commit the record it writes beside the suite",
        )
    metric, latest = claim.measure.of(claim.a), baseline.entry.latest
    now = estimate(metric.name, baseline.now, metric.label)
    against = compared(metric, now, baseline, confidence)
    sign = 1.0 if METRICS[metric.name].higher_is_better else -1.0
    if baseline.identical or not latest.n:
        found = exact(replace(now, value=sign * (now.value - latest.value)), -(claim.within or 0.0))
        held = found.value >= 0 if claim.within is None else found.value > -claim.within or found.value == 0
        outcome, how = Outcomes.PASS if held else Outcomes.FAIL, UNTESTED[0 if baseline.identical else 1]
        found = replace(found, method=how, n=latest.n)
    else:
        found = loss(metric, now, baseline, claim.within or 0.0, confidence, sign)
        outcome = decided(claim.within, found, 1 - confidence)
        if point:
            outcome = Outcomes.PASS if found.value >= -(claim.within or 0.0) else Outcomes.FAIL
    return Verdict(
        str(claim),
        outcome,
        message(metric, now, baseline, found, against, outcome, sign),
        confidence,
        found.method,
        "the accepted record",
        Figure(f"{metric} now", now.value),
        Figure(f"{metric} accepted", latest.value),
        difference=found,
        threshold=0.0 - (claim.within or 0.0),
        p_pass=found.p_above if claim.within is not None and found.method not in UNTESTED else None,
        p_fail=found.p_below if found.method not in UNTESTED else None,
        unpaired=not against.same_rows,
        tested=not point and bool(latest.n),
        against=against,
    )


def decided(within: float | None, found: Inference, alpha: float) -> Outcomes:
    """Without a margin a loss must be shown to fail; with one, its absence must be shown to pass."""
    if found.undecided_because:
        return Outcomes.UNDECIDED
    if found.p_below <= alpha:
        return Outcomes.FAIL
    if within is None or found.p_above <= alpha:
        return Outcomes.PASS
    return Outcomes.UNDECIDED


def loss(metric: Metric, now: Estimate, baseline: Baseline, within: float, confidence: float, sign: float) -> Inference:
    """Now less then, more being better, against -within."""
    if baseline.latest is None:
        return unpaired(now, baseline.entry.latest, -within, confidence, sign)
    return paired(metric, baseline.now, baseline.latest, -within, confidence, sign)


def paired(
    metric: Metric, now: Evidence, then: Evidence, threshold: float, confidence: float, sign: float
) -> Inference:
    ours, theirs = Term(replace(metric, contestant=now.name), sign), Term(replace(metric, contestant=THEN), -sign)
    first, second = (ours, theirs) if sign > 0 else (theirs, ours)
    question = Question((first, second), threshold, above=True, strict=True)
    return infer(question, {now.name: now, THEN: replace(then, name=THEN)}, confidence)


def unpaired(now: Estimate, then: AcceptedFigure, threshold: float, confidence: float, sign: float) -> Inference:
    """Two samples of different rows: their variances add."""
    difference = sign * (now.value - then.value)
    se = sqrt(spread_of(now).variance + then.standard_error**2)
    if se == 0:
        because = "neither figure varies over its rows: nothing tells how far they may lie from the truth"
        return Inference(difference, -1.0, 1.0, 1.0, 1.0, "unpaired z", then.n, because)
    half, z = float(ndtri(confidence)) * se, (difference - threshold) / se
    found = Inference(
        difference, difference - half, difference + half, float(ndtr(-z)), float(ndtr(z)), "unpaired z", then.n
    )
    return replace(found, n=now.influence.shape[1])


def compared(metric: Metric, now: Estimate, baseline: Baseline, confidence: float) -> Against:
    """The record's dates and figures, and the drift since the first baseline."""
    first, latest = baseline.entry.first, baseline.entry.latest
    same = baseline.latest is not None or not latest.n
    drift = Against(latest.date, latest.value, first.date, first.value, same, now.value - first.value)
    if baseline.first is None or not first.n:
        return drift
    found = paired(metric, baseline.now, baseline.first, 0.0, confidence, 1.0)
    return replace(drift, drift_low=found.low, drift_high=found.high)


def message(
    metric: Metric,
    now: Estimate,
    baseline: Baseline,
    found: Inference,
    against: Against,
    outcome: Outcomes,
    sign: float,
) -> str:
    """What changed, in words."""
    latest = baseline.entry.latest
    text = f"{format_value(metric.name, now.value)}, accepted {format_value(metric.name, latest.value)}"
    text += f" on {against.date[:10]}"
    if baseline.identical:
        text += "; identical answers on identical rows"
    elif latest.n:
        low, high = sorted((sign * found.low, sign * found.high))
        bounds = f"{signed(metric.name, low, bare=True)} to {signed(metric.name, high, bare=True)}"
        text += f": {signed(metric.name, sign * found.value)} ({bounds}, {found.n:,} rows)"
    if not against.same_rows:
        text += "; the test rows changed since, so the figures are compared unpaired"
    if found.undecided_because:
        text += f"; {found.undecided_because}"
    elif outcome is Outcomes.UNDECIDED:
        text += "; too few rows to show that less is lost"
    if baseline.entry.times > 1:
        text += f"; since the first baseline of {against.first_date[:10]}: {signed(metric.name, against.drift)}"
        if against.drift_low is not None and against.drift_high is not None:
            ends = [signed(metric.name, one, bare=True) for one in (against.drift_low, against.drift_high)]
            text += f" ({' to '.join(ends)})"
    return text
