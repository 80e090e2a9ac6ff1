"""Pictures of what is not independent: seeds, groups of rows, requests of one session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from scipy.special import ndtri
from style import BLUE, GREEN, GREY, INK, ORANGE, VIOLET, bar, picture, without_y

from pytest_modelcompare.gates.inference import infer
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.records import Evidence, Inference, Predictions
from pytest_modelcompare.statistics.latency import exceedance
from pytest_modelcompare.statistics.proportion import clustered_proportion, exact_proportion


def seeds() -> Figure:
    """Five trainings of one recipe, and what they say of its mean and of the next one."""
    figure, (axes,) = picture(3.2)
    rng = np.random.default_rng(12)
    n, row = 1_500, rng.normal(size=1_500)
    answers = []
    for shift in rng.normal(0, 0.05, 5):
        latent = np.sqrt(0.87) * row + np.sqrt(0.13) * rng.normal(size=n)
        answers.append(Predictions((latent > ndtri(0.92) + shift).astype(int)))
    small = Evidence(
        "small",
        "fine_tune",
        ("right", "wrong"),
        np.zeros(n, int),
        predictions=tuple(answers),
        seeds=tuple(range(42, 47)),
    )
    for y, (seed, one) in enumerate(zip(small.seeds, answers, strict=True)):
        shown(
            axes, 6 - y, f"seed {seed}: this model", accuracy(replace(small, predictions=(one,), seeds=(seed,))), GREY
        )
    shown(axes, 1, "the recipe's mean", accuracy(small), BLUE)
    shown(axes, 0, "the next training", accuracy(small, next_training=True), VIOLET)
    axes.set(xlim=(0.858, 0.955), ylim=(-0.6, 6.6), xlabel="accuracy, 1,500 rows")
    axes.set_xticks([0.89, 0.90, 0.91, 0.92, 0.93, 0.94, 0.95])
    axes.set_title("Five seeds: three questions, three intervals")
    without_y(axes)
    return figure


def accuracy(small: Evidence, *, next_training: bool = False) -> Inference:
    question = question_of(parse("small.accuracy >= 0.90"))
    return infer(question, {"small": small}, 0.95, next_training=next_training)


def shown(axes, y: float, name: str, found: Inference, colour: str) -> None:  # type: ignore[no-untyped-def]
    bar(axes, y, found.low, found.high, found.value, colour)
    axes.text(0.880, y, name, ha="right", va="center", color=colour if colour != GREY else INK)


def clusters() -> Figure:
    """The mean width of an accuracy's interval by how alike the rows of a group are."""
    figure, (axes,) = picture(2.8)
    n, p, runs = 1_000, 0.9, 300
    likeness = np.array([0.005, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3])
    for count, colour in ((10, ORANGE), (40, VIOLET), (200, BLUE)):
        rng = np.random.default_rng(count)
        groups = np.repeat(np.arange(count), n // count)
        widths = []
        for icc in likeness:
            strength = 1 / icc - 1
            rates = rng.beta(p * strength, (1 - p) * strength, (runs, count))
            right = rng.random((runs, n)) < np.repeat(rates, n // count, axis=1)
            found = [clustered_proportion(one, groups, p, 0.95) for one in right]
            widths.append(100 * np.mean([one.high - one.low for one in found]))
        axes.plot(likeness, widths, "o-", ms=3.5, color=colour, label=f"{count} groups of {n // count}")
    free = exact_proportion(900, n, p, 0.95)
    axes.axhline(100 * (free.high - free.low), color=INK, lw=1.2, ls="--")
    axes.text(0.302, 100 * (free.high - free.low) - 0.5, "groups ignored", ha="right", va="top")
    axes.set(
        xlim=(0, 0.305),
        ylim=(0, None),
        xlabel="correlation of rows within a group (ICC)",
        ylabel="interval width, points",
    )
    axes.set_title("1,000 rows, 90 % right")
    axes.legend(loc="upper left")
    return figure


def latency() -> Figure:
    """Two contestants timed in turns while the machine drifts, and the share of each block above a limit."""
    figure, (above, below) = picture(3.2, 2)
    rng = np.random.default_rng(8)
    blocks, each, limit = 20, 20, 28.0
    drift = 1 + 0.18 * np.sin(np.linspace(0, 2.6 * np.pi, blocks)) + rng.normal(0, 0.03, blocks)
    numbers = np.repeat(np.arange(blocks), each)
    small = 20 * np.repeat(drift, each) * rng.lognormal(0, 0.12, blocks * each)
    probe = 13 * np.repeat(drift, each) * rng.lognormal(0, 0.12, blocks * each)
    for offset, times, colour, name in ((0.0, small, BLUE, "small"), (0.5, probe, ORANGE, "probe")):
        medians = [np.median(times[numbers == block]) for block in range(blocks)]
        tops = [np.quantile(times[numbers == block], (0.1, 0.9)) for block in range(blocks)]
        x = np.arange(blocks) + offset
        above.vlines(x, *np.transpose(tops), color=colour, lw=2, alpha=0.45)
        above.plot(x, medians, "o", color=colour, ms=4, label=name)
    above.set(xlabel="block, in the order measured", ylabel="ms per request", ylim=(6, 30), xticks=[0, 5, 10, 15, 20])
    above.set_title("In turns: what slows one slows both")
    above.legend(loc="lower left", ncols=2)
    shares = [100 * (small[numbers == block] > limit).mean() for block in range(blocks)]
    found = exceedance(small, numbers, 0.95, limit, 0.95)
    tested = clustered_proportion(small > limit, numbers, 0.05, 0.95)
    below.bar(np.arange(blocks), shares, color=BLUE, width=0.7)
    below.axhline(5, color=INK, lw=1.2, ls="--")
    below.text(-0.6, 5.2, "5 %", va="bottom")
    below.axhspan(100 * tested.low, 100 * tested.high, color=GREEN, alpha=0.18, lw=0)
    below.set(xlabel="block", ylabel=f"requests above {limit:.0f} ms, %", xticks=[0, 5, 10, 15, 20])
    outcome = "passes" if found.p_below <= 0.05 else "is undecided"
    below.set_title(f"p95 <= {limit:.0f} {outcome}: {100 * tested.low:.1f} to {100 * tested.high:.1f} % above")
    return figure
