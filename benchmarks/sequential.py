"""What stopping early costs and saves: `python benchmarks/sequential.py [CORRECT.csv]`.

Simulates paired gates in groups of rows against one look at all of them. CORRECT.csv,
if given, has a header and two columns of 0 and 1, a line per test row: whether A and
whether B answered it rightly; its rows are then drawn in random orders.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, ndtri

from pytest_modelcompare.statistics.boundaries import Spending, boundaries, linear
from pytest_modelcompare.statistics.looks import look_schedule
from pytest_modelcompare.statistics.paired import EXACT_UP_TO, exact_unconditional_p, tango_z

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Statistic = Callable[[int, int, int, float], float]
SPENDING: dict[str, Spending] = {"alpha t": linear, "alpha sqrt t": sqrt}


class Shares(NamedTuple):
    """Of many simulated gates."""

    passed: float
    failed: float
    rows: float
    """Mean rows at the stop."""

    estimate_passed: float
    """Mean of what was estimated at the stop, over those that passed."""


def simulate(p_b: float, p_c: float, margin: float, n: int, runs: int, spend: Spending = linear) -> Shares:
    """Gates "A beats B by margin", where A alone is right on a share p_b of rows and B alone on p_c."""
    increments = np.diff(look_schedule(n).rows, prepend=0)
    rng = np.random.default_rng(1)
    shares = [p_b, p_c, 1 - p_b - p_c]
    drawn = np.stack([rng.multinomial(more, shares, size=runs) for more in increments], axis=1).cumsum(axis=1)
    return judged(drawn[:, :, 0], drawn[:, :, 1], margin, n, spend)


def real_orders(b: int, c: int, margin: float, n: int, runs: int, spend: Spending = linear) -> Shares:
    """The same for n given rows, b right for A alone and c for B alone, in random orders."""
    rows = np.array(look_schedule(n).rows) - 1
    rng = np.random.default_rng(2)
    kinds = np.repeat([1, -1, 0], [b, c, n - b - c])
    orders = np.stack([rng.permutation(kinds) for _ in range(runs)])
    only_a, only_b = (orders == 1).cumsum(axis=1)[:, rows], (orders == -1).cumsum(axis=1)[:, rows]
    return judged(only_a, only_b, margin, n, spend, gate_z)


def judged(b: Counts, c: Counts, margin: float, n: int, spend: Spending, statistic: Statistic = tango_z) -> Shares:
    """Group-sequential verdicts; b, c: (runs, looks) rows so far that A and B alone got right."""
    schedule = look_schedule(n)
    z = np.empty(b.shape)
    for look, rows in enumerate(schedule.rows):
        pairs, place = np.unique(np.stack([b[:, look], c[:, look]]), axis=1, return_inverse=True)
        z[:, look] = np.array([statistic(one, other, rows, margin) for one, other in pairs.T])[place]
    limits = np.array(boundaries(schedule.fractions, 0.05, spend))
    passed, failed, stop = first_crossing(z, z, limits)
    runs, rows_at_stop = np.arange(len(b)), np.array(schedule.rows)[stop]
    estimate = (b[runs, stop] - c[runs, stop]) / rows_at_stop
    of_passed = estimate[passed].mean() if passed.any() else np.nan
    return Shares(passed.mean(), failed.mean(), rows_at_stop.mean(), float(of_passed))


def gate_z(b: int, c: int, n: int, margin: float) -> float:
    """What a gate tests: exact up to 1,000 rows, Tango's score beyond, and where both are far from any boundary."""
    z = tango_z(b, c, n, margin)
    if n > EXACT_UP_TO or not 1.5 < abs(z) < 4.5:
        return z
    if z < 0:
        return float(ndtri(exact_unconditional_p(c, b, n, -margin)))
    return float(-ndtri(exact_unconditional_p(b, c, n, margin)))


def first_crossing(
    z_above: Floats, z_below: Floats, limits: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Counts]:
    """Which runs pass, which fail, and at which look each stops; z: (runs, looks)."""
    over, under = z_above >= limits, z_below <= -limits
    either = over | under
    stop = np.where(either.any(axis=1), either.argmax(axis=1), either.shape[1] - 1)
    runs = np.arange(len(stop))
    return over[runs, stop], under[runs, stop], stop


def one_label(n: int, relevant: float, f1: float, runs: int) -> tuple[float, float]:
    """Wrong passes and wrong fails of a gate on f1 of one label, exact at each look, at its threshold."""
    jaccard = f1 / (2 - f1)
    schedule, rng = look_schedule(n), np.random.default_rng(3)
    shares = [relevant * jaccard, relevant * (1 - jaccard), 1 - relevant]
    more = np.diff(schedule.rows, prepend=0)
    drawn = np.stack([rng.multinomial(rows, shares, size=runs) for rows in more], axis=1).cumsum(axis=1)
    right, m = drawn[:, :, 0], drawn[:, :, :2].sum(axis=2)
    p_above = np.where(right > 0, bdtrc(right - 1.0, m, jaccard), 1.0)
    p_below = np.where(right < m, bdtr(right.astype(float), m, jaccard), 1.0)
    passed, failed, _ = first_crossing(-ndtri(p_above), ndtri(p_below), np.array(boundaries(schedule.fractions, 0.05)))
    return float(passed.mean()), float(failed.mean())


def late_wrong_answers(runs: int, slower: float = 3.0, in_flight: int = 32, n: int = 1500) -> tuple[Shares, Shares]:
    """Two equally accurate contestants, one of them asked with many requests in flight and slow where it is wrong.

    Returns:
        Looks at the first rows of the seeded order, once all of them are answered; and
        looks at as many rows, those that arrived first. "Failed" is "the slow one is better".
    """
    rng = np.random.default_rng(4)
    kind = rng.random((runs, n))
    only_a, only_b, neither = kind < 0.08, (kind >= 0.08) & (kind < 0.16), (kind >= 0.16) & (kind < 0.20)
    seconds = np.exp(rng.normal(0, 0.3, (runs, n))) * np.where(only_a | neither, slower, 1.0)
    free, finished, every = np.zeros((runs, in_flight)), np.empty((runs, n)), np.arange(runs)
    for row in range(n):
        worker = free.argmin(axis=1)
        free[every, worker] += seconds[:, row]
        finished[:, row] = free[every, worker]
    looks = np.array(look_schedule(n).rows) - 1
    seeded = [side.cumsum(axis=1)[:, looks] for side in (only_a, only_b)]
    arrival = finished.argsort(axis=1)
    arrived = [np.take_along_axis(side, arrival, axis=1).cumsum(axis=1)[:, looks] for side in (only_a, only_b)]
    return judged(seeded[0], seeded[1], 0.0, n, linear), judged(arrived[0], arrived[1], 0.0, n, linear)


def main() -> None:
    n = 3080
    print(f"{n} rows, looks at {look_schedule(n).rows}; one look at all rows: z 1.645, {n} rows each time")
    for name, spend in SPENDING.items():
        limits = boundaries(look_schedule(n).fractions, 0.05, spend)
        print(f"\nspend {name}: boundaries {' '.join(f'{limit:.3f}' for limit in limits)}")
        for b, c, margin in ((0.08, 0.06, 0.02), (0.07, 0.05, 0.0), (0.075, 0.045, 0.0), (0.10, 0.02, 0.0)):
            found = simulate(b, c, margin, n, 100_000, spend)
            print(
                f"  true {b - c:.3f}, margin {margin:.2f}: passes {found.passed:6.2%}, fails {found.failed:6.2%}, "
                f"{found.rows:5.0f} rows ({found.rows / n:.2f}), {found.estimate_passed:.3f} reported where it passes"
            )
    print("\nf1 of one label at its threshold, exact at each look (1.4 % of rows matter): wrong passes, wrong fails")
    for f1 in (0.85, 0.95):
        print("  f1 {:.2f}: {:.2%} {:.2%}".format(f1, *one_label(n, 44 / n, f1, 100_000)))
    print("\nequally accurate, wrong answers late: false `the slow one is better` by looks at the prefix, at arrivals")
    for slower, in_flight in ((3, 32), (8, 32), (3, 128)):
        prefix, arrivals = late_wrong_answers(3000, slower, in_flight)
        print(f"  {slower}x slower, {in_flight:3d} in flight: {prefix.failed:6.2%} {arrivals.failed:6.2%}")
    if len(sys.argv) > 1:
        calls(Path(sys.argv[1]))


def calls(path: Path) -> None:
    """How many rows of a real pair have to be answered."""
    with path.open(newline="") as file:
        a, b = np.array([[int(cell) for cell in row] for row in list(csv.reader(file))[1:]], bool).T
    only_a, only_b, n = int((a & ~b).sum()), int((~a & b).sum()), len(a)
    print(f"\n{path.name}: {n} rows, {a.mean():.4f} against {b.mean():.4f}, right alone on {only_a} and {only_b}")
    for name, spend in SPENDING.items():
        for margin in (0.0, 0.02, 0.05, 0.08):
            found = real_orders(only_a, only_b, margin, n, 5000, spend)
            saved = f"{found.rows:5.0f} calls ({found.rows / n:.2f})"
            print(f"  {name:12s} margin {margin:.2f}: {saved}, passes {found.passed:.1%}")


if __name__ == "__main__":
    main()
