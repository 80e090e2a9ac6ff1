"""Numbers and verdicts in words."""

from __future__ import annotations

import re
from math import floor, inf, isfinite, log10, sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.metrics.catalogue import METRICS, Need
from pytest_modelcompare.metrics.measured import TEST_ROWS
from pytest_modelcompare.records import Estimate, Evidence, Inference
from pytest_modelcompare.statistics.influence import recipes
from pytest_modelcompare.statistics.rows_needed import (
    Z_POWER,
    rows_for_paired,
    rows_for_proportion,
    rows_from_standard_error,
    rows_that_agree,
)

MOST_FINER = 4
"""Digits more than usual that a figure is printed with at most."""


def format_value(metric: str, value: float, finer: int = 0) -> str:
    """A figure in its metric's own precision and unit.

    Args:
        finer: digits more than usual.
    """
    spec = METRICS[metric]
    if not isfinite(value):
        return "∞" if value > 0 else "-∞"
    if spec.unit == "USD":
        return f"{value:{'#' if finer else ''}.{2 + finer}g} USD" if abs(value) < 1 else f"{value:,.{2 + finer}f} USD"
    if spec.unit and spec.own:
        return f"{significant(value, 3 + finer)} {spec.unit}"
    if spec.unit:
        return f"{value:,.{finer + (abs(value) < 100)}f} {spec.unit}"
    return f"{value:,.0f}" if spec.name == "parameters" else f"{value:.{3 + finer}f}"


def significant(value: float, digits: int) -> str:
    """So many digits, of any size and without an exponent: 0.0512, 5.12, 5,120."""
    places = digits - 1 - floor(log10(abs(value))) if value else 0
    return f"{value:,.{min(max(places, 0), 9)}f}"


def bare_value(metric: str, value: float, finer: int = 0) -> str:
    """The same without its unit, inside parentheses."""
    unit = METRICS[metric].unit
    text = format_value(metric, value, finer)
    return text.removesuffix(f" {unit}") if unit else text


def signed(metric: str, value: float, finer: int = 0, *, bare: bool = False) -> str:
    text = bare_value(metric, value, finer) if bare else format_value(metric, value, finer)
    return text if value < 0 or text.startswith("-") else f"+{text}"


def numbers(question: Question, found: Inference, unit_of_n: str = "") -> str:
    """The estimate with its bounds: `0.930 (0.922 to 0.937, 3,080 rows)`.

    Args:
        unit_of_n: what an `Estimate` says that it is made from.
    """
    metric = question.metrics[0].name
    one = len(question.terms) == 1
    show = format_value if one else signed
    if found.method == "exact" or not isfinite(found.low + found.high):
        return show(metric, found.value)
    finer = digits_that_tell(metric, found)
    value, low, high = (show(metric, number, finer) for number in (found.value, found.low, found.high))
    unit = f" {METRICS[metric].unit}"
    rows = f", {found.n:,} {what_of(question, unit_of_n)}" if one else ""
    return f"{value} ({low.removesuffix(unit)} to {high.removesuffix(unit)}{rows})"


def digits_that_tell(metric: str, found: Inference) -> int:
    """Digits more than usual that tell an estimate from its bounds, however narrow they are."""
    bounds = [bound for bound in (found.low, found.high) if bound != found.value]
    for finer in range(MOST_FINER):
        if bare_value(metric, found.value, finer) not in [bare_value(metric, bound, finer) for bound in bounds]:
            return finer
    return MOST_FINER


def what_of(question: Question, unit: str = "") -> str:
    """Rows, requests or blocks; the cost of an LLM is one of rows, that of a model here one of blocks."""
    needs = METRICS[question.metrics[0].name].needs
    if needs is Need.LATENCY:
        return "requests"
    of_blocks = needs is Need.THROUGHPUT or (needs is Need.COST and unit != TEST_ROWS)
    return "blocks" if of_blocks else "rows"


def margin_text(question: Question, found: Inference, *, passed: bool) -> str:
    """`short by 0.020`, `over by 3.1 ms`, and for what holds nothing."""
    if passed:
        return ""
    metric = question.metrics[0].name
    gap = abs(found.value - question.threshold)
    texts = [format_value(metric, gap, finer) for finer in range(MOST_FINER + 1)]
    text = next((one for one in texts if re.search("[1-9]", one)), texts[0])
    return f", {'short' if question.above else 'over'} by {text}"


def alone_text(question: Question, sides: list[Evidence]) -> str:
    """`right alone on 41 rows against 33`, for paired accuracy."""
    counted = discordant(question, sides)
    return f", right alone on {counted[0]:,} rows against {counted[1]:,}" if counted else ""


def discordant(question: Question, sides: list[Evidence]) -> tuple[int, int] | None:
    """Rows that only the first, and only the second, gets right."""
    if not question.is_difference or question.metrics[0].name != "accuracy":
        return None
    if any(len(side.predictions) != 1 for side in sides):
        return None
    first, second = (side.predictions[0].labels == side.truth for side in sides)
    return int((first & ~second).sum()), int((~first & second).sum())


def what_would_decide(
    question: Question,
    found: Inference,
    sides: list[Evidence],
    expect: float | None,
    figure: Estimate,
    confidence: float,
) -> str:
    """What an undecided gate needs: rows for the effect that matters or was seen, seeds where rows cannot help."""
    if found.undecided_because:
        return found.undecided_because
    z = float(ndtri(confidence))
    effect = found.value if expect is None else expect
    if (scatter := too_scattered(effect - question.threshold, figure, z)) and on_claims_side(question, effect):
        return f"no number of rows decides this while the seeds scatter by {scatter:.3g}: give more `seeds`"
    if expect is not None:
        if not on_claims_side(question, expect):
            return f"the value expected, {expect:g}, breaks the claim: no number of rows can show it"
        rows = rows_for(question, found, sides, expect, z)
        return f"{rows_text(rows)} rows would decide it if the true value is {expect:g}"
    seen = found.value
    if not on_claims_side(question, seen):
        return "the estimate is on the wrong side: more rows would more likely show a failure"
    half = (found.high - found.low) / 2 / z
    direction = 1 if question.above else -1
    likely = rows_for(question, found, sides, seen, z)
    fewest = rows_for(question, found, sides, seen + direction * half, z)
    most = rows_for(question, found, sides, seen - direction * half, z)
    crosses = (seen - direction * half - question.threshold) * direction <= 0
    upper = "any number" if crosses else rows_text(most)
    unit = what_of(question, figure.unit)
    return (
        f"{rows_text(likely)} {unit} like these would decide a difference of this size ({rows_text(fewest)} to {upper})"
    )


def on_claims_side(question: Question, value: float) -> bool:
    return value > question.threshold if question.above else value < question.threshold


def too_scattered(distance: float, figure: Estimate, z: float) -> float:
    """The seeds' standard deviation where it alone keeps a gate undecided, however many rows there are; else 0."""
    of_recipes = [figure.seed_values[rows] for rows in recipes(figure) if len(rows) > 1]
    of_mean = sum(float(np.var(values, ddof=1)) / len(values) for values in of_recipes)
    scatter = sqrt(sum(float(np.var(values, ddof=1)) for values in of_recipes))
    return scatter if of_mean and distance**2 <= (z + Z_POWER) ** 2 * of_mean else 0.0


def rows_for(question: Question, found: Inference, sides: list[Evidence], effect: float, z: float) -> float:
    """Rows for 80 % power if the true value is `effect`."""
    counted = discordant(question, sides)
    if counted == (0, 0):  # rows that agree: a distance shows by their number alone
        return rows_that_agree(abs(effect - question.threshold), float(ndtr(-z)))
    if counted:
        return rows_for_paired(sum(counted) / found.n, question.threshold, effect, z)
    one = len(question.terms) == 1 and question.metrics[0].label is None
    if one and question.metrics[0].name in ("accuracy", "coverage") and 0 < question.threshold < 1:
        return rows_for_proportion(question.threshold, min(max(effect, 1e-6), 1 - 1e-6), z)
    se = (found.high - found.low) / 2 / z
    return rows_from_standard_error(found.n, se, effect - question.threshold, z)


def rows_text(rows: float) -> str:
    """Two significant digits: more would be a promise."""
    if rows == inf or rows > 1e9:
        return "no number of"
    size = 10 ** max(len(str(int(rows))) - 2, 0)
    return f"{-(-int(rows) // size) * size:,}"
