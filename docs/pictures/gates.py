"""Pictures of the verdict itself, and of many gates at once."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREY, INK, ORANGE, VERDICT_COLOURS, bar, picture, without_y

from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.records import Evidence, Predictions
from pytest_modelcompare.statistics.power_needed import joint_power

POWER = 0.8


def verdict() -> Figure:
    """Three contestants against `accuracy >= 0.90` on 500 rows."""
    figure, (axes,) = picture(2.5)
    truth = np.zeros(500, int)
    for y, right in zip((2, 1, 0), (470, 455, 430), strict=True):
        answers = Predictions((np.arange(500) >= right).astype(int))
        small = Evidence("small", "predictions", ("a", "b"), truth, predictions=(answers,))
        text = "small.accuracy >= 0.90"
        found = judge(GateSpec(text, (parse(text),)), {"small": small})
        colour = VERDICT_COLOURS[found.outcome.value]
        bar(axes, y, found.difference.low, found.difference.high, found.difference.value, colour)
        axes.text(0.972, y, found.outcome.value.upper(), color=colour, va="center", weight="bold")
        axes.text(0.825, y, f"{right} of 500 right", va="center", ha="right")
    axes.text(0.919, 2.28, "near bound beyond the threshold", fontsize=8, color=GREY)
    axes.text(0.903, 1.28, "threshold inside: the rows cannot say", fontsize=8, color=GREY)
    axes.text(0.832, 0.28, "far bound short of the threshold", fontsize=8, color=GREY)
    axes.axvline(0.9, color=INK, lw=1.2, ls="--")
    axes.set(xlim=(0.77, 1.0), ylim=(-0.5, 2.6), xlabel="accuracy, with its 90 % interval (95 % on each side)")
    axes.set_xticks([0.84, 0.86, 0.88, 0.90, 0.92, 0.94, 0.96])
    axes.set_title("small.accuracy >= 0.90")
    without_y(axes)
    return figure


def joint() -> Figure:
    """The share of builds that are green where every one of k claims is true and each gate would pass in 80 %."""
    figure, (axes,) = picture(2.8)
    k = np.arange(1, 21)
    for rho, colour, lift in ((0.5, BLUE, 4), (0.0, ORANGE, -8)):
        powers = [100 * joint_power([POWER] * int(count), rho) for count in k]
        axes.plot(k, powers, "o-", ms=4, color=colour, label=f"gates correlated by {rho:g}" if rho else "independent")
        for at in (5, 10, 20):
            place = (at, max(powers[at - 1] + lift, 4))
            axes.annotate(f"{powers[at - 1]:.1f} %", place, ha="center", fontsize=8, color=colour)
    axes.set(ylim=(-1, 85), xticks=[1, 5, 10, 15, 20], xlabel="gates in the build", ylabel="green builds, %")
    axes.set_title("Every claim is true, and each gate alone passes in 80 %")
    axes.legend(loc="upper right")
    return figure
