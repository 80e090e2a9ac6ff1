"""Pictures of one contestant against a number."""

from __future__ import annotations

from math import sqrt

import numpy as np
from matplotlib.figure import Figure
from scipy.special import expit, gammaln, logit, ndtri, xlog1py, xlogy
from style import BLUE, GREEN, GREY, INK, ORANGE, PALE, RED, picture

from pytest_modelcompare.metrics.calibration import calibration, reliability
from pytest_modelcompare.metrics.classification import confusion_statistic, value_and_influence
from pytest_modelcompare.statistics.auroc import delong_variance, placements
from pytest_modelcompare.statistics.bootstrap import bca, difference
from pytest_modelcompare.statistics.newcombe import method5_bounds
from pytest_modelcompare.statistics.proportion import clopper_pearson, wilson

Z = float(ndtri(0.95))


def proportion() -> Figure:
    """How often a true claim fails, exactly, on 50 rows."""
    figure, (axes,) = picture(2.8)
    n, p = 50, np.linspace(0.80, 0.995, 391)
    k = np.arange(n + 1)
    binomial = np.exp(
        gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, p[:, None]) + xlog1py(n - k, -p[:, None])
    )
    for name, bounds, colour in (("Wilson", wilson, ORANGE), ("Clopper–Pearson (used)", clopper_pearson, BLUE)):
        highs = np.array([bounds(int(one), n, 0.95)[1] for one in k])
        axes.plot(p, 100 * (binomial * (highs < p[:, None])).sum(axis=1), color=colour, lw=1.2, label=name)
    axes.axhline(5, color=INK, lw=1, ls="--")
    axes.text(0.9995, 5.2, "5 %", va="bottom", ha="right", color=INK)
    axes.set(xlim=(0.80, 1.0), ylim=(0, 15), xlabel="true accuracy = threshold", ylabel="wrong FAIL, %")
    axes.set_title("50 rows, the claim is just true: how often is it called false?")
    axes.legend(loc="upper left", ncols=2)
    return figure


def macro() -> Figure:
    """The bootstrap distribution of a macro F1 lies below the estimate, and BCa moves the bounds back."""
    figure, (axes,) = picture(2.8)
    rng = np.random.default_rng(4)
    labels, n = 20, 200
    truth = np.repeat(np.arange(labels), n // labels)
    answer = np.where(rng.random(n) < 0.93, truth, rng.integers(0, labels, n))
    statistic = confusion_statistic("f1")
    value, influence = value_and_influence("f1", truth, answer, labels, None)
    cells, counts = np.unique(np.stack([truth, answer]), axis=1, return_counts=True)
    values = difference(cells, rng.multinomial(n, counts / n, 10_000).astype(float), statistic, labels)
    found = bca(truth, (answer,), statistic, labels, 0.9, 0.95, influence)
    axes.hist(values, 60, color=PALE)
    top = axes.get_ylim()[1]
    axes.vlines(value, 0, top, color=INK, lw=1.2, ls="--")
    axes.text(value, top * 1.02, f"estimate {value:.3f}", ha="center")
    for y, (name, low, high, colour) in enumerate(
        (("BCa (used)", found.low, found.high, BLUE), ("percentile", *np.quantile(values, (0.05, 0.95)), ORANGE))
    ):
        height = -top * (0.12 + 0.14 * y)
        axes.plot([low, high], [height, height], color=colour, lw=3, solid_capstyle="butt")
        axes.text(high + 0.002, height, f"{name}: {low:.3f} to {high:.3f}", va="center", color=colour)
    axes.set(xlim=(0.82, 1.0), xlabel="macro F1 (20 labels, 10 rows each)", yticks=[])
    axes.spines["left"].set_visible(False)
    axes.set_title(f"10,000 resamples: their median, {np.median(values):.3f}, lies below the estimate", pad=18)
    return figure


def auroc() -> Figure:
    """Three intervals of an area as it approaches 1, 15 rows of the class among 300."""
    figure, (axes,) = picture(3.2)
    m1, m0 = 15, 285
    truth = np.repeat([1, 0], [m1, m0])
    spread = np.concatenate([ndtri((np.arange(m) + 0.5) / m) for m in (m1, m0)])
    rows = [intervals(truth, spread + shift * truth) for shift in np.linspace(1.6, 5.2, 60)]
    areas = np.array([row[0] for row in rows])
    named = (
        ("Wald on DeLong's variance", RED, ":"),
        ("logit", ORANGE, "--"),
        ("Newcombe's method 5 (used here)", BLUE, "-"),
    )
    for place, (name, colour, dashes) in enumerate(named):
        low, high = (np.array([row[1 + 2 * place + side] for row in rows]) for side in (0, 1))
        axes.plot(areas, low, color=colour, ls=dashes, label=name)
        axes.plot(areas, high, color=colour, ls=dashes)
    axes.plot(areas, areas, color=GREY, lw=0.8)
    axes.axhline(1, color=INK, lw=0.8)
    axes.set(xlim=(areas[0], 1.001), ylim=(0.74, 1.03), xlabel="estimated AUROC", ylabel="lower and upper bound")
    axes.set_title("15 rows of the class, 285 others")
    axes.legend(loc="lower right")
    return figure


def intervals(truth: np.ndarray, scores: np.ndarray) -> tuple[float, ...]:
    """The area and the bounds of Wald, logit and method 5; the logit of 1 has none."""
    area, influence = placements(truth == 1, scores)
    se = sqrt(delong_variance(truth, influence, 1)[0])
    m1, m0 = np.array([float((truth == 1).sum())]), np.array([float((truth == 0).sum())])
    half = Z * se / (area * (1 - area)) if area < 1 else np.nan
    on_logit = (float(expit(logit(area) - half)), float(expit(logit(area) + half))) if area < 1 else (np.nan, np.nan)
    return (area, area - Z * se, area + Z * se, *on_logit, *method5_bounds(np.array([area]), m1, m0, 0.95))


def reliability_diagram() -> Figure:
    """Confidence against accuracy by bin, of a calibrated world and of one that is surer than right."""
    figure, axes = picture(3.0, 2, sharey=True)
    for place, (surer, title) in zip(axes, ((0.0, "calibrated"), (0.1, "surer than right by 0.10")), strict=True):
        rng = np.random.default_rng(1)
        confidence = rng.uniform(0.6, 1.0, 500)
        truth = (rng.random(500) >= confidence - surer).astype(int)
        scores = np.stack([confidence, 1 - confidence], axis=1)
        for one in reliability(truth, scores):
            place.plot([one.confidence] * 2, [one.low, one.high], color=BLUE, lw=2, alpha=0.6)
            place.plot([one.confidence], [one.accuracy], "o", color=BLUE, ms=4)
        place.plot([0.55, 1], [0.55, 1], color=INK, lw=1, ls="--")
        found = calibration(truth, scores)
        lines = (
            f"ECE {found.ece:.3f}",
            f"if calibrated {found.ece_if_calibrated:.3f}",
            f"debiased {found.debiased:.3f}",
        )
        place.text(0.985, 0.37, "\n".join(lines), ha="right", va="bottom", color=GREEN if surer == 0 else RED)
        place.set(xlabel="mean confidence of the bin", xlim=(0.58, 1.0), ylim=(0.35, 1.01), title=f"500 rows, {title}")
    axes[0].set_ylabel("accuracy of the bin")
    return figure
