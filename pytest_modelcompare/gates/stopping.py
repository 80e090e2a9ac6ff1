"""Deciding gates before an LLM has answered every row, `stop_when_decided`.

Whoever asks makes a plan before the first answer, calls `look` as answers come in, and
words what was decided with `sequential_verdict`. Nothing here asks, reads or waits.
`docs/statistics.md`, "Sequential looks", gives the reasons and the figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.gates.claims import metrics_of
from pytest_modelcompare.gates.needs import contestants_of
from pytest_modelcompare.gates.printed import ON_ROWS
from pytest_modelcompare.gates.question import question_of
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.stoppable import stoppable
from pytest_modelcompare.metrics.catalogue import LATENCY_QUANTILES, METRICS
from pytest_modelcompare.records import Evidence
from pytest_modelcompare.statistics.boundaries import SequentialPlan, sequential_plan
from pytest_modelcompare.statistics.latency import too_few_requests
from pytest_modelcompare.statistics.looks import Schedule, group_ends, look_schedule, seeded_order


@dataclass(frozen=True, slots=True)
class SequentialGate:
    """A gate that is tested at every look until it is decided."""

    spec: GateSpec
    confidence: float
    members: tuple[SequentialPlan, ...]
    """One per claim. Each side of each gate spends the whole alpha; the pass side of k members alpha/k each."""


@dataclass(frozen=True, slots=True)
class StoppingPlan:
    """What is fixed before an LLM is asked: the order of its rows, when to look, and what has to wait."""

    contestant: str
    order: NDArray[np.int64]
    """Shape (n,). Row numbers in the order they are asked, rows of one group together."""

    schedule: Schedule
    """Looks, at ends of groups. One look, at all rows, where a gate needs them all: others gain nothing by stopping."""

    sequential: tuple[SequentialGate, ...]
    all_rows: tuple[tuple[GateSpec, str], ...]
    """Gates that need every row, and why. One of them, and every row is asked."""

    first_rows: tuple[GateSpec, ...]
    """Gates on times and costs alone: judged once, on the first `n_first_rows` of the order and no others."""

    min_coverage: float = 0.9

    @property
    def n_first_rows(self) -> int:
        """The rows of the first look: all where every row is asked."""
        return self.schedule.rows[0]

    def inside(self, n_rows: int) -> NDArray[np.bool_]:
        """Shape (n,), in test order: which rows are the first `n_rows` of the order."""
        found = np.zeros(len(self.order), dtype=bool)
        found[self.order[:n_rows]] = True
        return found


def stopping_plan(
    contestant: str,
    gates: Sequence[GateSpec],
    evidence: Mapping[str, Evidence],
    digest: str,
    *,
    confidence: float = 0.95,
    min_coverage: float = 0.9,
) -> StoppingPlan:
    """What asking one LLM may spare.

    Args:
        contestant: the LLM; `evidence` holds it, its answers not needed.
        gates: all that were selected; those that do not name the LLM are left out.
        evidence: as in `stoppable`.
        digest: the data's fingerprint, which draws the order.
        confidence: the suite's, for gates without their own.
        min_coverage: a comparison decides nothing at a look where an opponent answered a smaller share.
    """
    sequential: list[GateSpec] = []
    first_rows: list[GateSpec] = []
    all_rows: list[tuple[GateSpec, str]] = []
    groups = evidence[contestant].clusters
    order = seeded_order(digest, len(evidence[contestant].truth), groups)
    schedule = look_schedule(len(order), None if groups is None else group_ends(order, groups))
    for spec in gates:
        if not any(contestant in contestants_of(claim) for claim in spec.claims):
            continue
        if (reason := stoppable(spec, evidence)) is None:
            sequential.append(spec)
        elif counts_no_rows(spec):
            short = too_few(spec, schedule.rows[0], spec.confidence or confidence)
            all_rows += [(spec, short)] if short else []
            first_rows += [] if short else [spec]
        else:
            all_rows.append((spec, reason))
    if all_rows:
        schedule = Schedule((len(order),))
    planned = tuple(sequential_gate(spec, schedule, spec.confidence or confidence) for spec in sequential)
    return StoppingPlan(contestant, order, schedule, planned, tuple(all_rows), tuple(first_rows), min_coverage)


def sequential_gate(spec: GateSpec, schedule: Schedule, confidence: float) -> SequentialGate:
    """A gate with its own spending."""
    alpha = 1 - confidence
    members = (
        sequential_plan(schedule, above=question_of(claim).above, pass_alpha=alpha / len(spec.claims), fail_alpha=alpha)
        for claim in spec.claims
    )
    return SequentialGate(spec, confidence, tuple(members))


def counts_no_rows(spec: GateSpec) -> bool:
    """Whether a gate uses times, costs and sizes alone, which a number of rows fixed beforehand can measure."""
    return all(METRICS[metric.name].needs not in ON_ROWS for claim in spec.claims for metric in metrics_of(claim))


def too_few(spec: GateSpec, n_rows: int, confidence: float) -> str | None:
    """Why the first look's rows cannot bound a latency quantile."""
    level = 1 - (1 - confidence) / len(spec.claims)
    quantiles = [LATENCY_QUANTILES.get(metric.name) for claim in spec.claims for metric in metrics_of(claim)]
    reasons = (too_few_requests(n_rows, quantile, level) for quantile in quantiles if quantile is not None)
    return next((reason for reason in reasons if reason), None)


def plan_text(plan: StoppingPlan) -> list[str]:
    """The plan in words, a line each."""
    n = plan.schedule.rows[-1]
    lines = [f"all {n:,} rows are asked: `{spec.text}`: {reason}" for spec, reason in plan.all_rows]
    if not plan.all_rows:
        rows = ", ".join(f"{count:,}" for count in plan.schedule.rows)
        at = "once every gate looked at is decided or given up" if plan.sequential else "at the first"
        lines.append(f"looks at {rows} rows; asking stops {at}")
        lines += [f"`{gate.spec.text}` is looked at" for gate in plan.sequential]
    which = f"all {n:,} rows" if plan.all_rows else f"the first {plan.n_first_rows:,} rows, fixed beforehand"
    lines += [f"`{spec.text}` is measured on {which}" for spec in plan.first_rows]
    return [f"{plan.contestant}: {line}" for line in lines]
