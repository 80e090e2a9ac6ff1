"""What LLM calls may cost: plans that are too dear are refused, what was spent is noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pytest_modelcompare.errors import BudgetError
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.pricing.dollars import usd
from pytest_modelcompare.store.batches import BatchLog
from pytest_modelcompare.store.spending import SpendingLog

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison


def llm_options(comparison: Comparison) -> LLMOptions:
    options = comparison.options
    left = left_usd(comparison)
    return LLMOptions(
        options.llm,
        left,
        options.session,
        comparison.suite.prices,
        stop=comparison.ledger.stop,
        batches=BatchLog(comparison.folders),
        note=noted(comparison),
        note_unheard=noted_unheard(comparison),
        note_held=noted_held(comparison),
    )


def refuse_dear_plans(comparisons: Sequence[Comparison]) -> None:
    """Before the first call: what all suites together would cost must fit what may be spent."""
    planned_usd = 0.0
    for comparison in comparisons:
        asking = [
            job for job in comparison.graph.required() if job.expected.calls and job.key not in comparison.results
        ]
        cost = sum(job.expected.usd for job in asking)
        own_left = left_usd(comparison)
        left = own_left - planned_usd if comparison.ledger.cap_usd is not None else own_left
        if cost <= left:
            planned_usd += cost
            continue
        refusal = too_dear(comparison, cost, left)
        for job in asking:
            for name in comparison.graph.users_of(job.key):
                comparison.failures[name] = refusal


def left_usd(comparison: Comparison) -> float:
    """What this suite may still spend, after what the session's other processes spent."""
    own = comparison.ledger.left_usd(comparison.cap_usd, comparison.asked_usd)
    suite = str(comparison.suite.path) if comparison.ledger.cap_usd is None else None
    return own - spending(comparison).of_others(suite)


def spending(comparison: Comparison) -> SpendingLog:
    return SpendingLog(comparison.folders, comparison.options.session)


def too_dear(comparison: Comparison, cost: float, left: float) -> BudgetError:
    return BudgetError(
        f"the LLM calls would cost about {usd(cost)} USD, and {usd(max(left, 0))} USD may be spent; none was made",
        where=str(comparison.suite.path),
        fix="raise `budget: {usd: …}` in the suite or --modelcompare-budget, or take fewer test rows (`rows:`)",
    )


def noted(comparison: Comparison) -> Callable[[float, int], None]:
    """What was spent counts, whether or not the rest could be asked."""

    def note(spent: float, calls: int) -> None:
        comparison.asked_usd += spent
        spending(comparison).add(str(comparison.suite.path), spent, calls)
        comparison.ledger.note_answers(usd=spent, calls=calls, stored=0)

    return note


def noted_unheard(comparison: Comparison) -> Callable[[float, int], None]:
    """What may have been billed without our hearing of it stays reserved until the session ends."""

    def note(worst: float, requests: int) -> None:
        reserve(comparison, worst)
        comparison.ledger.note_unheard(worst, requests)

    return note


def noted_held(comparison: Comparison) -> Callable[[float], None]:
    """So does what batches under way may cost."""

    def note(worst: float) -> None:
        reserve(comparison, worst)
        comparison.ledger.note_held(worst)

    return note


def reserve(comparison: Comparison, worst: float) -> None:
    """Take it out of what this suite, and the session's other processes, may spend."""
    comparison.asked_usd += worst
    spending(comparison).add(str(comparison.suite.path), worst)
