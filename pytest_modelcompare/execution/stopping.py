"""`stop_when_decided`: what asking an LLM may spare, and what is judged on the rows that it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_modelcompare.data.rows import test_rows_digest
from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.judge import judge
from pytest_modelcompare.gates.needs import contestants_of
from pytest_modelcompare.gates.spec import GateSpec
from pytest_modelcompare.gates.stopping import StoppingPlan, stopping_plan
from pytest_modelcompare.gates.stopping_looks import Stopped, look
from pytest_modelcompare.gates.stopping_verdict import sequential_verdict
from pytest_modelcompare.llm.answers import Answered, Stages
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.methods.prompt import evidence_of_replies
from pytest_modelcompare.methods.registry import method_of
from pytest_modelcompare.records import NO_ANSWER, Evidence, Predictions, Verdict

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison, Needs
    from pytest_modelcompare.records.jobs import Job


def names_of(spec: GateSpec) -> set[str]:
    return {name for claim in spec.claims for name in contestants_of(claim)}


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
    method, test = method_of(spec), dataset.test
    if not method.traits.has_rows and (found := method.evidence(spec, (), comparison.known(spec.name))) is not None:
        return found
    return Evidence(
        spec.name, spec.method, dataset.labels, test.labels, test.groups, seeds=spec.seeds, traits=method.traits
    )


@dataclass(slots=True)
class GateLooking:
    """Looking at the gates on one LLM while it is asked. Planned before anything is trained."""

    comparison: Comparison
    name: str
    gates: Sequence[GateSpec]
    """All that were selected."""

    after: tuple[Job[Any], ...]
    parts: int
    plan: StoppingPlan | None = None

    def stages(self) -> Stages | None:
        """Raises GateError where, whatever is asked, no gate could be judged."""
        of_it = [spec for spec in self.gates if self.name in names_of(spec)]
        judged = [spec for spec in of_it if not names_of(spec) & self.comparison.failures.keys()]
        if of_it and not judged:
            raise GateError(f"{self.name} was not asked: every gate on it needs a contestant that failed")
        plan = plan_for(self.comparison, self.name, judged)
        self.plan = None if plan.all_rows else plan
        return None if self.plan is None else stages_of(self.comparison, self.plan)

    def ended(self, answered: Answered) -> None:
        if self.plan is not None:
            self.comparison.stopped[self.name] = stopped_at(self.comparison, self.plan, answered)


def looking(
    comparison: Comparison, name: str, needs: Needs, jobs_for: Callable[[Iterable[str]], tuple[Job[Any], ...]]
) -> GateLooking | None:
    """Of a contestant that the suite lets be asked in part; None where every row is asked.

    The gates are not known in a Python test, which may gate on anything.

    Args:
        jobs_for: plans other contestants, and gives their jobs.
    """
    specs = comparison.suite.contestants
    if needs.gates is None or not method_of(specs[name]).may_stop(specs[name].settings) or name in comparison.answered:
        return None
    plan = plan_for(comparison, name, needs.gates)
    if plan.all_rows:
        return None
    named = {other for gate in needs.gates if name in names_of(gate) for other in names_of(gate)}
    # no gate is looked at that compares two LLMs, and these would wait for each other
    compared = {other for other in named if not method_of(specs[other]).traits.asks}
    return GateLooking(comparison, name, needs.gates, jobs_for(compared), len(plan.schedule.rows))


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
            evidence[name] = evidence_of_replies(suite.contestants[name], first, comparison.dataset)
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
