"""A group-sequential test: pass, fail or go on, at planned looks, each error at most alpha over all of them.

For tests whose information grows with the rows: paired accuracy with any margin, a
single proportion, and f1, precision or recall of one label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from scipy.special import ndtr

from pytest_modelcompare.records import Inference, Outcomes
from pytest_modelcompare.statistics.boundaries import SequentialPlan, repeated_p_value

BIASED = "an estimate at an early stop lies, on average, further from the threshold than the truth"

TestOfFirstRows = Callable[[int, float], Inference]
"""`test(n_rows, confidence)`: a fixed-size test of the first rows of the seeded order."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look that was taken."""

    n_rows: int
    value: float
    p_pass: float
    """p-value of the fixed-size test against "the claim is false"; passes at `level_pass` or below."""

    p_fail: float
    level_pass: float
    """Φ(-c_k)."""

    level_fail: float


@dataclass(frozen=True, slots=True)
class SequentialResult:
    """Where a sequential test stands after a look."""

    outcome: Outcomes | None
    """PASS and FAIL are final, whatever later answers say. UNDECIDED: no look is left. None: go on."""

    n_rows: int
    """Rows at the last look taken: at the stop, if it has stopped."""

    inference: Inference
    """Of those rows. Its bounds are repeated confidence bounds, each at level Φ(c_k), and once the test has
    stopped its p-values are repeated p-values: they compare with threshold and alpha as a fixed-size test's do."""

    looks: tuple[Look, ...]
    """All looks taken, in order."""

    @property
    def number(self) -> int:
        """1-based number of the last look taken."""
        return len(self.looks)


def take_looks(
    plan: SequentialPlan, test: TestOfFirstRows, ready: int, so_far: SequentialResult | None = None
) -> SequentialResult | None:
    """Take, in order, the looks that are ready and not yet taken, up to the first that decides.

    Args:
        test: called with a look's rows and the confidence Φ(c_k) of its bounds.
        ready: how many looks may be taken, from `ready_looks`.
        so_far: the result of the looks before; returned as it is where it is final.

    Returns:
        None where no look has been ready yet.
    """
    result = so_far
    for number in range(result.number if result else 0, ready):
        if result and result.outcome:
            break
        result = looked(plan, test, number, result.looks if result else ())
    return result


def looked(plan: SequentialPlan, test: TestOfFirstRows, number: int, before: tuple[Look, ...]) -> SequentialResult:
    """One look (0-based number)."""
    n_rows, last = plan.schedule.rows[number], number + 1 == len(plan.schedule.rows)
    c_pass, c_fail = plan.pass_boundaries[number], plan.fail_boundaries[number]
    # bounds and, in groups, p-values depend on the level: each side is tested at its own
    near = test(n_rows, float(ndtr(c_pass)))
    far = near if c_fail == c_pass else test(n_rows, float(ndtr(c_fail)))
    p_pass, p_fail = (near.p_above, far.p_below) if plan.above else (near.p_below, far.p_above)
    look = Look(n_rows, near.value, p_pass, p_fail, float(ndtr(-c_pass)), float(ndtr(-c_fail)))
    outcome = decided(look, near, far) or (Outcomes.UNDECIDED if last else None)
    lower, upper = (near, far) if plan.above else (far, near)
    found = replace(
        near if outcome is Outcomes.PASS else far,
        low=lower.low,
        high=upper.high,
        p_above=lower.p_above,
        p_below=upper.p_below,
        method=f"{far.method}, group-sequential",
    )
    if outcome:
        found = stopped(found, plan, number)
    return SequentialResult(outcome, n_rows, found, (*before, look))


def decided(look: Look, near: Inference, far: Inference) -> Outcomes | None:
    """A test whose own minimum is not met decides nothing at this look, and may at a later one."""
    if look.p_pass <= look.level_pass and not near.undecided_because:
        return Outcomes.PASS
    return Outcomes.FAIL if look.p_fail <= look.level_fail and not far.undecided_because else None


def stopped(found: Inference, plan: SequentialPlan, number: int) -> Inference:
    """With repeated p-values, and what to say of an early stop."""
    rows, fractions = plan.schedule.rows, plan.schedule.fractions[: number + 1]
    notes = found.notes
    if number + 1 < len(rows):
        stop = f"stopped at look {number + 1} of {len(rows)}, after {rows[number]:,} of {rows[-1]:,} rows"
        notes = (*notes, f"{stop}: {BIASED}")
    repeated = partial(repeated_p_value, fractions=fractions, spend=plan.spend)
    return replace(found, p_above=repeated(found.p_above), p_below=repeated(found.p_below), notes=notes)
