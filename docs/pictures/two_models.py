"""Pictures of two contestants on the same rows."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, NullLocator
from style import BLUE, GREY, INK, ORANGE, PALE, VERDICT_COLOURS, bar, picture, without_y

from pytest_modelcompare.gates.regression import decided
from pytest_modelcompare.statistics.boundaries import boundaries
from pytest_modelcompare.statistics.looks import look_schedule
from pytest_modelcompare.statistics.paired import paired_accuracy, tango_bounds, tango_z
from pytest_modelcompare.statistics.published import difference_of, of_proportion


def paired() -> Figure:
    """Interval width of a difference of two accuracies, paired and not, by how often both agree."""
    figure, (axes,) = picture(2.8)
    n, a, b = 2_000, 0.92, 0.90
    unpaired = difference_of(a, b, of_proportion(a, n), of_proportion(b, n), 0.0, 0.95, n)
    alike = np.linspace(0.80, 0.98, 91)
    widths = []
    for share in alike:
        only_a = n * ((1 - share) + (a - b)) / 2
        low, high = tango_bounds(only_a, only_a - n * (a - b), n, 0.95)
        widths.append(100 * (high - low))
    apart = 100 * (unpaired.high - unpaired.low)
    axes.axhline(apart, color=ORANGE, label="as if each had rows of its own")
    axes.plot(100 * alike, widths, color=BLUE, label="on the same rows, in pairs (used)")
    chance = 100 * (a * b + (1 - a) * (1 - b))
    axes.plot([chance], [apart], "o", color=GREY, ms=5)
    axes.annotate(
        "mistakes unrelated:\npairing gains nothing",
        (chance, apart),
        (chance + 0.2, apart + 0.15),
        color=GREY,
        fontsize=8,
    )
    axes.set(ylim=(0, 4.2), xlabel="rows on which both are right or both wrong, %", ylabel="interval width, points")
    axes.set_title("Accuracies .92 and .90 on 2,000 rows")
    axes.legend(loc="lower left")
    return figure


def sequential() -> Figure:
    """The statistic of one recorded order against its boundaries; only looks count."""
    figure, (axes,) = picture(3.0)
    rng = np.random.default_rng(26)
    only_a, only_b = (np.cumsum(one) for one in rng.multinomial(1, [0.08, 0.045, 0.875], 3080).T[:2])
    schedule = look_schedule(3080)
    limits = boundaries(schedule.fractions, 0.05)
    rows = np.unique(np.geomspace(60, 3080, 130).astype(int))
    z = {int(n): tango_z(int(only_a[n - 1]), int(only_b[n - 1]), int(n), 0.0) for n in (*rows, *schedule.rows)}
    stop = next(n for n, limit in zip(schedule.rows, limits, strict=True) if z[n] >= limit)
    for sign, name, colour in ((1, "pass", VERDICT_COLOURS["pass"]), (-1, "fail", VERDICT_COLOURS["fail"])):
        axes.plot(schedule.rows, sign * np.array(limits), "_", color=colour, ms=16, mew=2.5)
        axes.plot(schedule.rows, sign * np.array(limits), color=colour, lw=0.8, ls=":")
        axes.text(66, sign * 3.0, name, color=colour, va="center", weight="bold")
    for n, limit in zip(schedule.rows, limits, strict=True):
        axes.text(n, limit + 0.28, f"{limit:.3f}", ha="center", fontsize=8, color=VERDICT_COLOURS["pass"])
    path = np.array(sorted(z))
    axes.plot(path[path <= stop], [z[n] for n in path if n <= stop], color=PALE, lw=1.2)
    seen = [n for n in schedule.rows if n <= stop]
    axes.plot(seen, [z[n] for n in seen], "o", color=BLUE)
    axes.annotate(
        f"stops: {stop:,} of 3,080 rows asked",
        (stop, z[stop]),
        (stop, z[stop] + 0.35),
        color=BLUE,
        fontsize=8.5,
        ha="center",
    )
    axes.axhline(0, color=GREY, lw=0.8)
    axes.set_xscale("log")
    axes.set_xticks(schedule.rows)
    axes.xaxis.set_major_formatter(FixedFormatter([f"{n:,}" for n in schedule.rows]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set(xlim=(62, 4400), ylim=(-3.8, 4.6), xlabel="rows of the seeded order, all answered", ylabel="z")
    axes.set_title("small beats llm on accuracy: six looks, 5 % spent in proportion to the rows")
    return figure


def regress() -> Figure:
    """Which changes `does not regress` lets pass, and which `within 0.01`."""
    figure, (axes,) = picture(3.0)
    n, margin = 2_000, 0.01
    cases = (
        ("better", 50, 20),
        ("about the same", 24, 26),
        ("unclear", 40, 49),
        ("a little worse, surely", 3, 12),
        ("worse", 20, 60),
    )
    for y, (name, gained, lost) in zip(range(len(cases))[::-1], cases, strict=True):
        new, old = np.zeros(n, bool), np.zeros(n, bool)
        new[:gained], old[gained : gained + lost] = True, True
        plain, within = (paired_accuracy(new, old, threshold, 0.95) for threshold in (0.0, -margin))
        bar(axes, y, 100 * plain.low, 100 * plain.high, 100 * plain.value, INK)
        axes.text(-4.1, y, name, va="center", ha="right")
        for x, found, limit in ((3.6, plain, None), (5.9, within, margin)):
            outcome = decided(limit, found, 0.05).value
            axes.text(x, y, outcome.upper(), ha="center", va="center", color=VERDICT_COLOURS[outcome], weight="bold")
    axes.axvline(0, color=INK, lw=1.2, ls="--")
    axes.axvline(-100 * margin, color=ORANGE, lw=1.2, ls="--")
    axes.text(-100 * margin, 4.45, "−X ", ha="right", color=ORANGE)
    axes.text(3.6, 4.75, "does not regress", ha="center", fontsize=8.5)
    axes.text(5.9, 4.75, "… within 0.01", ha="center", fontsize=8.5)
    axes.set(xlim=(-6.6, 6.9), ylim=(-0.6, 5.1), xticks=range(-3, 3))
    axes.set_xlabel("new minus accepted accuracy, points (2,000 rows)", x=0.46)
    without_y(axes)
    return figure
