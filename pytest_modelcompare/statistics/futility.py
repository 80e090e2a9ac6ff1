"""Whether the rows not yet asked could still decide a sequential test."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, sqrt

import numpy as np

from pytest_modelcompare.records import Outcomes
from pytest_modelcompare.statistics.boundaries import SequentialPlan, Walk, steps
from pytest_modelcompare.statistics.sequential import SequentialResult, stopped

FUTILE = 0.05
"""A chance of a verdict below which the remaining rows are not worth their price."""


def conditional_power(
    plan: SequentialPlan, result: SequentialResult, threshold: float, true_value: float
) -> tuple[float, float]:
    """Chances that the looks still to come pass the claim, and that they fail it.

    Args:
        threshold: what the figure is tested against.
        true_value: what the figure is taken to be: the current estimate, or the effect planned for.

    Source: Jennison and Turnbull (2000), Group Sequential Methods, chapter 10.
    """
    number, found = result.number - 1, result.inference
    side = 1.0 if plan.above else -1.0
    now, coming = plan.schedule.fractions[number], plan.schedule.fractions[number + 1 :]
    se = (found.high - found.low) / (plan.pass_boundaries[number] + plan.fail_boundaries[number])
    if not isfinite(se) or se <= 0:
        return float("nan"), float("nan")
    score = side * (found.value - threshold) / se * sqrt(now)
    drift = side * (true_value - threshold) / (se * sqrt(now))  # expected z with all rows
    walk, passes, fails = Walk(np.array([score]), np.ones(1)), 0.0, 0.0
    for index, (then, elapsed, narrowest) in enumerate(steps(now, coming), number + 1):
        high, low = plan.pass_boundaries[index] * sqrt(then), -plan.fail_boundaries[index] * sqrt(then)
        passes += walk.above(high, elapsed, drift)
        fails += float(walk.probability.sum()) - walk.above(low, elapsed, drift)
        walk = walk.onward(elapsed, low, high, narrowest, drift)
    return passes, fails


def given_up(
    plan: SequentialPlan, result: SequentialResult, threshold: float, planned_value: float
) -> SequentialResult | None:
    """The result of stopping for futility, or None where the rest may still decide.

    Futile: the chance of any verdict, pass or fail, is below 5 % both if the current
    estimate is right and if the planned effect is. Not binding: the boundaries do not
    count on it, and a test that goes on all the same keeps its level.

    Args:
        planned_value: the figure that was hoped for, `expect:` in a suite.
    """
    chances = [sum(conditional_power(plan, result, threshold, at)) for at in (result.inference.value, planned_value)]
    if result.outcome or not all(chance < FUTILE for chance in chances):
        return None
    because = f"after {result.n_rows:,} of {plan.schedule.rows[-1]:,} rows the rest would decide in under 5 % of cases"
    found = replace(stopped(result.inference, plan, result.number - 1), undecided_because=because)
    return replace(result, outcome=Outcomes.UNDECIDED, inference=found)
