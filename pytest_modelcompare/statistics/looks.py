"""When a sequential test looks at the answers: at planned numbers of rows, in an order drawn beforehand.

Peeking costs certainty: a test repeated at level alpha on a growing sample is wrong
far more often than alpha. A group-sequential test looks at planned row counts only,
and spends its alpha over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import shake_256
from math import floor

import numpy as np
from numpy.typing import NDArray

FIRST_LOOK = 96
"""Rows before which no look is taken: score tests are not trusted on fewer."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The planned looks."""

    rows: tuple[int, ...]
    """Rows of the seeded order at each look, ascending; the last look is at all rows."""

    @property
    def fractions(self) -> tuple[float, ...]:
        """The share of all information at each look."""
        return tuple(count / self.rows[-1] for count in self.rows)


def look_schedule(n: int, ends: NDArray[np.int64] | None = None) -> Schedule:
    """Looks at n/2^j rows, the first at 96 or later, the last at all n.

    Args:
        ends: row counts at which a look may be taken, ascending, the last n: the ends
            of groups or of batches. Looks move up to the next one; those that meet are one.
    """
    counts = [n]
    while (count := floor(n / 2 ** len(counts) + 0.5)) >= FIRST_LOOK:
        counts.append(count)
    if ends is not None:
        counts = [int(ends[np.searchsorted(ends, count)]) for count in counts]
    return Schedule(tuple(sorted(set(counts))))


def seeded_order(digest: str, n: int, groups: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """The order in which rows are asked: random, the same for the same data, blind to labels, not stratified.

    Drawn from a hash, not from a generator: numpy may change its streams between
    versions, and a recording made in one order must be judged in that order.

    Args:
        digest: the data's fingerprint.
        n: rows.
        groups: shape (n,); rows of one number are drawn together, in file order.

    Returns:
        Shape (n,): row numbers.
    """
    numbers = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    drawn = np.frombuffer(shake_256(f"order of rows {digest}".encode()).digest(8 * n), "<u8")
    return np.argsort(drawn[numbers], kind="stable")


def group_ends(order: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row counts of a seeded order at which a group is complete."""
    ordered = groups[order]
    return np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(order))


def ready_looks(answered: NDArray[np.bool_], schedule: Schedule) -> int:
    """How many looks may be taken: those whose rows have all been answered, retries and refusals resolved.

    Never "whatever has arrived": answers that take long are wrong more often, so what
    is there already is no random sample.

    Args:
        answered: shape (n,), in seeded order.
    """
    complete = len(answered) if answered.all() else int(answered.argmin())
    return sum(count <= complete for count in schedule.rows)
