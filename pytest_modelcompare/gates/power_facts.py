"""What a gate's power is worked out from, and what is found: records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.gates.question import Question
from pytest_modelcompare.records import Published

ALIKE = 0.1
"""Correlation that is assumed between rows of one group."""

NEVER = "can never pass"
EXACT_SHARES = ("accuracy", "coverage")


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is known of a suite before anything runs."""

    rows: int
    """Test rows."""

    rows_per_label: Mapping[str, int]
    """Every label of the suite, in its order → test rows."""

    group_sizes: tuple[int, ...] | None = None
    """Test rows of each group; None without `group`."""

    seeds: Mapping[str, int] = field(default_factory=dict)
    """Contestant → number of seeds; 1 where it is not named."""

    methods: Mapping[str, str] = field(default_factory=dict)
    """Contestant → the suite's method key."""

    published: Mapping[str, Published] = field(default_factory=dict)
    """Contestant → its printed figures."""

    timed_requests: Mapping[str, int] = field(default_factory=dict)
    """Contestant → requests that are timed one at a time, at most."""

    @property
    def groups(self) -> float | None:
        """Effective number of groups, n² / Σ n_g²."""
        if self.group_sizes is None:
            return None
        return sum(self.group_sizes) ** 2 / sum(size**2 for size in self.group_sizes)

    def design_effect(self, n: int) -> float:
        """Variance over that of independent rows, for n of the test rows spread evenly over the groups."""
        return 1.0 if self.groups is None else 1 + max(n / self.groups - 1, 0.0) * ALIKE

    @property
    def df(self) -> float:
        return inf if self.groups is None else self.groups - 1


@dataclass(frozen=True, slots=True)
class GatePower:
    """How likely one gate is to pass."""

    gate: str
    n: int
    """Rows (or requests) that count; 0 where neither do."""

    power: float | None
    """Probability of PASS if what is expected is true; None where nothing is expected or it cannot be planned."""

    needed: float | None
    """True value nearest to the threshold that passes with 80 %; of a latency, the share of slower requests."""

    assumption: str
    """What the two figures rest on, in words."""

    warning: str | None = None
    unit: str = "rows"


@dataclass(frozen=True, slots=True)
class PlannedTest:
    """The test of one question, without its data."""

    n: int
    power: Callable[[float], float]
    """True value → probability of PASS, on the question's own scale."""

    threshold: float
    best: float
    """The end of the values that favour the claim."""

    what: str
    """E.g. "true accuracy"."""

    enough: Callable[[float], str]
    """The true value that 80 % power takes, in words."""

    notes: tuple[str, ...] = ()
    never: str | None = None
    unit: str = "rows"


def rows_of(label: str, facts: PlanFacts) -> int:
    """Test rows of a label.

    Raises:
        GateError: there is no such label.
    """
    if label not in facts.rows_per_label:
        raise GateError(f"no label `{label}`", fix=f"the labels are {', '.join(list(facts.rows_per_label)[:20])}")
    return facts.rows_per_label[label]


def requests(contestant: str, facts: PlanFacts) -> int:
    return facts.timed_requests.get(contestant, facts.rows)


def is_tango(question: Question) -> bool:
    """Whether the pairs are right or wrong."""
    metric = question.metrics[0]
    return metric.name in EXACT_SHARES or (metric.name == "recall" and metric.label is not None)


def one_model(question: Question, facts: PlanFacts) -> bool:
    return all(facts.seeds.get(metric.contestant, 1) == 1 for metric in question.metrics)
