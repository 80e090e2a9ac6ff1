"""The power of a suite's gates, worked out from its data and laid out as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from inspect import signature
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.slices import slice_rows
from pytest_modelcompare.errors import DataError
from pytest_modelcompare.gates.power import DISCORDANCE, power_of_gate
from pytest_modelcompare.gates.power_facts import GatePower, PlanFacts
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.inference.stopwatch import measure_latencies
from pytest_modelcompare.methods.published import PublishedSettings
from pytest_modelcompare.methods.registry import method_of
from pytest_modelcompare.records import Dataset, Published
from pytest_modelcompare.reports.numbers import plural
from pytest_modelcompare.statistics.power_needed import joint_power
from pytest_modelcompare.suite.model import Suite

CORRELATED = 0.5
"""Between gates, for the second figure of the whole build."""

LEAST_ROOM = 40
"""Narrower than this, words stand better below their gate than beside it."""


def powers_of(
    suite: Suite, dataset: Dataset, specs: Iterable[GateSpec], discordance: float = DISCORDANCE
) -> list[GatePower]:
    """The power of each gate on the suite's own test rows."""
    found = []
    for spec in specs:
        rules = replace(spec, undecided=spec.undecided or suite.undecided)
        try:
            inside = slice_rows(dataset, suite.data, dict(spec.slice)) if spec.slice else None
        except DataError as error:
            warning = f"can never pass, it is an error: {error.what}"
            found.append(GatePower(spec.text, 0, 0.0, None, "", warning))
        else:
            found.append(power_of_gate(rules, facts_of(suite, dataset, inside), suite.confidence, discordance))
    return found


def facts_of(suite: Suite, dataset: Dataset, inside: NDArray[np.bool_] | None = None) -> PlanFacts:
    """What power is worked out from.

    Args:
        inside: shape (n,); the test rows of a slice. None: all.
    """
    chosen = np.ones(len(dataset.test), dtype=bool) if inside is None else inside
    per_label = np.bincount(dataset.test.labels[chosen], minlength=len(dataset.labels)).tolist()
    groups = dataset.test.groups
    sizes = None if groups is None else tuple(np.unique(groups[chosen], return_counts=True)[1].tolist())
    defaults = {name: one.default for name, one in signature(measure_latencies).parameters.items()}
    timed_here = int(defaults["blocks"] * defaults["rows_per_block"])
    specs = suite.contestants.values()
    return PlanFacts(
        int(chosen.sum()),
        dict(zip(dataset.labels, per_label, strict=True)),
        sizes,
        {spec.name: len(spec.seeds) for spec in specs},
        {spec.name: spec.method for spec in specs},
        {
            spec.name: Published(spec.settings.figures, spec.settings.source, spec.settings.n)
            for spec in specs
            if isinstance(spec.settings, PublishedSettings)
        },
        {spec.name: timed_here if method_of(spec).traits.runs_here else len(dataset.test) for spec in specs},
    )


def power_lines(powers: Sequence[GatePower], width: int = 80) -> list[str]:
    """A table that fits `width` columns: words beside their gate where there is room, else below it."""
    if not powers:
        return []
    counts = [f"{one.n:,} {one.unit}" if one.n else "–" for one in powers]
    count_width = max(map(len, counts))
    names = max(len(one.gate) for one in powers)
    beside = width - names - count_width - 13 >= LEAST_ROOM
    lines = [heading(names if beside else 2, count_width)]
    for one, count in zip(powers, counts, strict=True):
        figures = f"{count:>{count_width}}  {chance(one.power):>5}  "
        if beside:
            head = f"  {one.gate:<{names}}  {figures}"
        else:
            lines += wrap(one.gate, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
            head = f"      {figures}"
        lines += hung(head, [one.warning or "", one.assumption], width)
    return lines + joint_lines(powers, width)


def heading(names: int, count_width: int) -> str:
    return f"  {'gate':<{names}}  {'on':>{count_width}}  power  if"


def hung(head: str, texts: Sequence[str], width: int) -> list[str]:
    """Texts wrapped beside a head, each on lines of its own."""
    room = max(width - len(head), 10)
    lines = [line for text in texts for line in wrap(text, room, break_on_hyphens=False)] or [""]
    return [f"{' ' * len(head) if number else head}{line}".rstrip() for number, line in enumerate(lines)]


def joint_lines(powers: Sequence[GatePower], width: int) -> list[str]:
    """How likely the whole build is green, and what that leaves out."""
    known = [one.power for one in powers if one.power is not None]
    if len(known) < 2:
        return []
    alone, together = chance(joint_power(known)), chance(joint_power(known, CORRELATED))
    text = (
        f"all {len(known)} gates with a power pass in {alone} if independent, in {together} if correlated {CORRELATED}"
    )
    if len(known) < len(powers):
        text += (
            f"; {plural(len(powers) - len(known), 'gate')} without one left out: `expect:` gives one where rows decide"
        )
    return wrap(text, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def chance(power: float | None) -> str:
    """A probability in whole per cent, never rounded to certainty."""
    if power is None:
        return "–"
    if 0 < power < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= power < 1 else f"{100 * power:.0f} %"
