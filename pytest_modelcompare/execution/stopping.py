"""`stop_when_decided`: what asking an LLM may spare, and what is judged on the rows that it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.errors import GateError
from pytest_modelcompare.execution.assemble import assemble, of_replies
from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.needs import contestants_of
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.stopping import StoppingPlan, stopping_plan
from pytest_modelcompare.gates.stopping_looks import Standing, look
from pytest_modelcompare.gates.stopping_verdict import sequential_verdict
from pytest_modelcompare.llm.answers import Answered, Stages
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.published import PublishedSettings
from pytest_modelcompare.records import NO_ANSWER, Evidence, Predictions, Verdict

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison


@dataclass(frozen=True, slots=True)
class Stopped:
    """An LLM whose gates were looked at while it was asked."""

    plan: StoppingPlan
    standing: Standing
    evidence: Mapping[str, Evidence]
    """What was looked at: all n rows in test order; of the LLM, rows that were not asked are never read."""


def names_of(spec: GateSpec) -> set[str]:
    return {name for claim in spec.claims for name in contestants_of(claim)}


def may_stop(spec: ContestantSpec) -> bool:
    """Whether the suite lets this contestant be asked in part."""
    return isinstance(spec.settings, PromptSettings) and spec.settings.stop_when_decided


def plan_for(comparison: Comparison, name: str, gates: Sequence[GateSpec]) -> StoppingPlan:
    """What asking one LLM may spare, known before anything was trained or asked.

    Args:
        gates: all that were selected.
    """
    suite, dataset = comparison.suite, comparison.dataset
    assert dataset is not None
    evidence = {one.name: outline(comparison, one) for one in suite.contestants.values()}
    # of the test rows alone: a recording stays good when training rows are added
    digest = test_rows_digest(dataset)
    return stopping_plan(name, gates, evidence, digest, confidence=suite.confidence, min_coverage=suite.min_coverage)


def outline(comparison: Comparison, spec: ContestantSpec) -> Evidence:
    """What is known of a contestant before it has answered."""
    dataset = comparison.dataset
    assert dataset is not None
    if isinstance(spec.settings, PublishedSettings) and (found := assemble(comparison, spec)) is not None:
        return found
    test = dataset.test
    return Evidence(spec.name, spec.method, dataset.labels, test.labels, test.groups, seeds=spec.seeds)


def plan_to_ask(comparison: Comparison, name: str, gates: Sequence[GateSpec] | None) -> StoppingPlan | None:
    """The plan by which an LLM is asked; None where every row is.

    Args:
        gates: all that were selected; None: not known, as in a Python test that may gate on anything.

    Raises:
        GateError: whatever is asked, no gate could be judged.
    """
    if gates is None or not may_stop(comparison.suite.contestants[name]):
        return None
    of_it = [spec for spec in gates if name in names_of(spec)]
    judged = [spec for spec in of_it if not names_of(spec) & comparison.failures.keys()]
    if of_it and not judged:
        raise GateError(f"{name} was not asked: every gate on it needs a contestant that failed")
    plan = plan_for(comparison, name, judged)
    return None if plan.all_rows else plan


def is_wanted_whole(comparison: Comparison, name: str, gates: Sequence[GateSpec] | None) -> bool:
    """Whether an LLM that stopped has to answer the rest for gates that were not looked at."""
    stopped, answered = comparison.stopped.get(name), comparison.answered[name]
    if stopped is None or answered.rows is None:
        return False
    known = {one.spec for one in stopped.plan.sequential} | set(stopped.plan.first_rows)
    return gates is None or any(name in names_of(spec) and spec not in known for spec in gates)


def stages_of(comparison: Comparison, plan: StoppingPlan) -> Stages:
    """Asking by the plan. Every call looks anew from the first look on: answers may have been given up between."""

    def enough(labels: NDArray[np.int64], answered: NDArray[np.bool_]) -> bool:
        return look(plan, looked_at(comparison, plan, labels), answered).may_stop

    return Stages(plan.order, plan.schedule.rows, enough)


def looked_at(comparison: Comparison, plan: StoppingPlan, labels: NDArray[np.int64]) -> dict[str, Evidence]:
    """The evidence that looks are taken on.

    Args:
        labels: shape (n,), the LLM's label numbers; those of rows that were not asked are never read.
    """
    asked = outline(comparison, comparison.suite.contestants[plan.contestant])
    return {**comparison.evidence(), plan.contestant: replace(asked, predictions=(Predictions(labels),))}


def stopped_at(comparison: Comparison, plan: StoppingPlan, answered: Answered) -> Stopped:
    """Where the gates stand when asking has ended."""
    n = len(plan.order)
    rows = np.arange(n) if answered.rows is None else answered.rows
    labels, final = np.full(n, NO_ANSWER, np.int64), np.zeros(n, bool)
    labels[rows], final[rows] = answered.predictions.labels, True
    evidence = looked_at(comparison, plan, labels)
    return Stopped(plan, look(plan, evidence, final), evidence)


def verdict_when_stopped(comparison: Comparison, spec: GateSpec) -> Verdict | None:
    """The verdict on a gate about an LLM that may not have been asked every row; None where it is judged as any.

    Raises:
        GateError: it needs rows that were not asked.
    """
    names = sorted(names_of(spec) & comparison.stopped.keys())
    for name in names:
        stopped = comparison.stopped[name]
        for gate in stopped.standing.gates:
            if gate.gate.spec == spec:
                return sequential_verdict(stopped.plan, gate, stopped.evidence, undecided=comparison.suite.undecided)
    early = [name for name in names if spec in comparison.stopped[name].plan.first_rows]
    for name in set(names) - set(early):
        if (rows := comparison.answered[name].rows) is not None:
            n = len(comparison.stopped[name].plan.order)
            raise GateError(
                f"{name} was asked {len(rows):,} of {n:,} rows, and this gate was not looked at meanwhile",
                fix="select the gate together with the others, or leave out `stop_when_decided`",
            )
    return on_first_rows(comparison, spec, early) if early else None


def on_first_rows(comparison: Comparison, spec: GateSpec, early: Sequence[str]) -> Verdict:
    """A gate on times and costs: on a number of rows that was fixed beforehand, so that stopping cannot bend it."""
    suite, plan = comparison.suite, comparison.stopped[early[0]].plan
    inside = plan.inside(plan.n_first_rows)  # one order and one schedule for every LLM of a suite
    evidence = {name: with_costs_on(found, inside) for name, found in comparison.evidence().items()}
    for name in early:
        if (first := comparison.answered[name].first) is not None:
            assert comparison.dataset is not None
            evidence[name] = of_replies(suite.contestants[name], first, comparison.dataset)
    verdict = judge(
        spec, evidence, confidence=suite.confidence, undecided=suite.undecided, min_coverage=suite.min_coverage
    )
    return replace(verdict, message=f"{verdict.message}; on the first {plan.n_first_rows:,} rows asked")


def with_costs_on(evidence: Evidence, inside: NDArray[np.bool_]) -> Evidence:
    """A contestant whose costs by test row, where it has such, are those of some rows."""
    cost = evidence.cost
    if cost is None or not cost.per_test_row or len(cost.usd_per_row) != len(inside):
        return evidence
    return replace(
        evidence.on_rows(inside),
        latencies=evidence.latencies,
        throughput=evidence.throughput,
        cost=replace(cost, usd_per_row=cost.usd_per_row[inside]),
        no_cost_because="",
    )
