"""One look for all pictures: a light panel that reads on light and dark pages, text that stays text."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
INK, GREY, PALE = "#2b2f36", "#7b818a", "#c9cdd3"
BLUE, ORANGE, GREEN, RED, VIOLET = "#2a6ab0", "#c8611b", "#2c8656", "#b43a3f", "#7a4fa3"
VERDICT_COLOURS = {"pass": GREEN, "fail": RED, "undecided": ORANGE}

SETTINGS = {
    "svg.hashsalt": "pytest-modelcompare",  # ids are drawn from it, so that the same picture has the same bytes
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "figure.facecolor": "#fafaf7",
    "axes.facecolor": "#fafaf7",
    "savefig.facecolor": "#fafaf7",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "path.simplify_threshold": 0.2,
}


def picture(height: float = 3.0, columns: int = 1, **facts: object) -> tuple[Figure, list[Axes]]:
    """A figure of the pages' width in inches, and its axes."""
    mpl.rcParams.update(SETTINGS)
    figure = Figure(figsize=(7.2, height), layout="constrained")
    return figure, list(figure.subplots(1, columns, squeeze=False, **facts).flat)


def bar(axes: Axes, y: float, low: float, high: float, value: float, colour: str) -> None:
    """An interval with its estimate."""
    axes.plot([low, high], [y, y], color=colour, lw=3, solid_capstyle="butt")
    axes.plot([value], [y], "o", color=colour, ms=6)


def without_y(axes: Axes) -> None:
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def write(name: str, figure: Figure, folder: Path = FOLDER, kind: str = "svg") -> Path:
    """The picture as a file, with nothing in it that changes from run to run."""
    path = folder / f"{name}.{kind}"
    figure.savefig(path, format=kind, metadata={"Date": None, "Creator": None} if kind == "svg" else None, dpi=110)
    return path
