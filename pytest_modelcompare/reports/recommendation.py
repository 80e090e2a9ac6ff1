"""Which contestant to ship: a rule over measured figures, stated limits and intervals. Nothing here reads files.

Of the contestants that are shown to meet every limit the most accurate counts as best; the
cheapest that loses less than `within` of its accuracy is the choice. Where the intervals leave
another one possible, the choice is by the figures alone, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_modelcompare.records.report import ContestantReport, SuiteReport
from pytest_modelcompare.reports.candidates import accuracy, candidates, price
from pytest_modelcompare.reports.gaps import Gap, Gaps, unpaired_gaps
from pytest_modelcompare.reports.limits import Check, Limits, Standing, checked


@dataclass(frozen=True, slots=True)
class Rival:
    """Another contestant that keeps to the limits, held against the choice."""

    name: str
    gap: Gap
    """The choice less the rival; of a cheaper rival, the best less the rival."""

    margin: float
    """What the gap must exceed for the choice to be shown right against this rival."""

    cheaper: bool

    @property
    def shown(self) -> bool:
        return self.gap.low > self.margin


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to ship, and how well that is founded."""

    choice: str | None
    """None: every contestant breaks a limit."""

    best: str | None = None
    """The most accurate that keeps to the limits."""

    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    """By contestant."""

    rivals: tuple[Rival, ...] = ()
    runner_up: str | None = None
    confidence: float = 0.95
    """Of each bound behind the rivals, shared out over them."""

    @property
    def limits_shown(self) -> bool:
        """Whether the choice is shown to keep to every limit."""
        return self.choice is not None and all(one.standing is Standing.WITHIN for one in self.checks[self.choice])

    @property
    def shown(self) -> bool:
        return self.limits_shown and all(rival.shown for rival in self.rivals)


def recommend(suite: SuiteReport, limits: Limits, gaps: Gaps | None = None, confidence: float = 0.95) -> Recommendation:
    """The choice, with every comparison it rests on.

    Args:
        gaps: differences on the same rows, where they are known; by default from the intervals of the report.
        confidence: of each bound of the report.
    """
    rows = candidates(suite)
    checks = {name: checked(row, limits) for name, row in rows.items()}
    pool = pool_of(checks)
    if not pool:
        return Recommendation(None, None, checks, (), most_accurate(list(rows), rows))
    choice, best = choose(pool, rows, limits)
    others = [name for name in pool if name != choice]
    level = 1 - (1 - confidence) / max(1, len(others))
    known = gaps or unpaired_gaps(rows, confidence)
    rivals = tuple(held_against(name, choice, best, rows, limits, known, level) for name in others)
    rest = others or [name for name in rows if name != choice]
    runner_up = choose(rest, rows, limits)[0] if rest else None
    return Recommendation(choice, best, checks, rivals, runner_up, level)


def pool_of(checks: Mapping[str, Sequence[Check]]) -> list[str]:
    """Those shown to keep to every limit; if there is none, those not shown to break one."""
    kept = [name for name, own in checks.items() if all(one.standing is Standing.WITHIN for one in own)]
    return kept or [name for name, own in checks.items() if all(one.standing is not Standing.BROKEN for one in own)]


def choose(pool: Sequence[str], rows: Mapping[str, ContestantReport], limits: Limits) -> tuple[str, str]:
    """The choice and the best, by the figures alone."""
    best = most_accurate(pool, rows)
    assert best is not None
    at_least = accuracy(rows[best]) - limits.within
    near = [name for name in pool if accuracy(rows[name]) > at_least and price(rows[name], limits) is not None]
    if price(rows[best], limits) is None:
        return best, best
    return min(near, key=lambda name: (price(rows[name], limits), -accuracy(rows[name]))), best


def most_accurate(pool: Sequence[str], rows: Mapping[str, ContestantReport]) -> str | None:
    return max(pool, key=lambda name: accuracy(rows[name]), default=None)


def held_against(
    name: str,
    choice: str,
    best: str,
    rows: Mapping[str, ContestantReport],
    limits: Limits,
    gaps: Gaps,
    confidence: float,
) -> Rival:
    """What the rule needs to be true of the choice and a rival."""
    own, other = price(rows[choice], limits), price(rows[name], limits)
    if own is None or other is None:
        return Rival(name, gaps(choice, name, confidence), 0.0, cheaper=False)
    if other < own:  # it was passed over because it loses too much
        return Rival(name, gaps(best, name, confidence), limits.within, cheaper=True)
    return Rival(name, gaps(choice, name, confidence), -limits.within, cheaper=False)
