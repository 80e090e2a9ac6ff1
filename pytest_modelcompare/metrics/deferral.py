"""Below which confidence a cascade asks its other contestant."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Deferral:
    """Below which confidence a cascade asks its other contestant, and what it gains on the rows looked at."""

    n: int
    threshold: float
    """Rows whose confidence is below it are asked anew; 0: none, `inf`: all."""

    deferred_share: float
    cascade_accuracy: float
    """On the rows the threshold was chosen on: optimistic."""

    small_accuracy: float
    other_accuracy: float


def defer_below(
    truth: NDArray[np.int64],
    answers_small: NDArray[np.int64],
    confidence_small: NDArray[np.float64],
    answers_other: NDArray[np.int64],
) -> Deferral:
    """The confidence below which a cascade should ask the other contestant.

    The threshold makes the cascade's accuracy on *these* rows as large as it can
    be (of equal ones the one that defers fewest), so that accuracy is optimistic,
    and the threshold must be tuned on validation rows, never on the test rows a
    gate is judged on.

    Args:
        truth: shape (n,).
        answers_small: shape (n,); -1, no answer, is wrong.
        confidence_small: shape (n,), 0 to 1.
        answers_other: shape (n,); -1, no answer, is wrong.

    Raises:
        ValueError: there are no rows, the lengths differ, or a confidence lies outside 0 to 1.
    """
    if len(truth) == 0 or not truth.shape == answers_small.shape == confidence_small.shape == answers_other.shape:
        raise ValueError("a cascade is tuned on rows that both contestants and the truth have")
    if not ((confidence_small >= 0) & (confidence_small <= 1)).all():
        raise ValueError("a confidence lies between 0 and 1")
    n = len(truth)
    small, other = ((answers >= 0) & (answers == truth) for answers in (answers_small, answers_other))
    order = np.argsort(confidence_small, kind="stable")
    ranked = confidence_small[order]
    # gain[k]: rows that turn right, less those that turn wrong, if the k least sure are asked anew
    gain = np.concatenate([[0], np.cumsum(other[order].astype(int) - small[order])])
    # equal confidences are deferred together: k may stand where the next row is surer than the last
    allowed = np.concatenate([[0], np.flatnonzero(ranked[1:] > ranked[:-1]) + 1, [n]])
    deferred = int(allowed[gain[allowed].argmax()])
    threshold = 0.0 if deferred == 0 else inf if deferred == n else float(ranked[deferred])
    return Deferral(
        n=n,
        threshold=threshold,
        deferred_share=deferred / n,
        cascade_accuracy=float((small.sum() + gain[deferred]) / n),
        small_accuracy=float(small.mean()),
        other_accuracy=float(other.mean()),
    )
