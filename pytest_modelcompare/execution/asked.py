"""LLM calls: refused where the plan is too dear, else asked with what may still be spent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pytest_modelcompare.contestants.answering import AskPlan, LLMOptions, PromptMethod
from pytest_modelcompare.contestants.base import ContestantSpec
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.errors import BudgetError, ModelCompareError
from pytest_modelcompare.execution.stopping import plan_to_ask, stages_of, stopped_at
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.pricing.dollars import usd
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.batches import BatchLog

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison, Needs
    from pytest_modelcompare.gates.spec import GateSpec


def plans(comparison: Comparison, needs: Needs) -> dict[str, AskPlan]:
    """What each LLM would be asked, and the estimate of its price."""
    options, dataset = comparison.options, comparison.dataset_to_ask
    if dataset is None or options.smoke or options.llm == "off":
        return {}
    journal = AnswerJournal(comparison.folders)
    return {
        spec.name: PromptMethod().plan(
            prompt_settings(spec), dataset, journal, llm_options(comparison), comparison.base
        )
        for spec in comparison.chosen(needs)
        if spec.method == "prompt" and spec.name not in comparison.failures
    }


def prompt_settings(spec: ContestantSpec) -> PromptSettings:
    assert isinstance(spec.settings, PromptSettings)
    return spec.settings


def llm_options(comparison: Comparison) -> LLMOptions:
    options = comparison.options
    left = comparison.ledger.left_usd(comparison.cap_usd, comparison.asked_usd)
    return LLMOptions(
        options.llm,
        left,
        options.session,
        comparison.suite.prices,
        stop=comparison.ledger.stop,
        batches=BatchLog(comparison.folders),
        note=noted(comparison),
        note_unheard=noted_unheard(comparison),
    )


def refuse_dear_plans(wanted: Sequence[tuple[Comparison, Needs]]) -> None:
    """Before the first call: what all suites together would cost must fit what may be spent."""
    planned_usd = 0.0
    for comparison, needs in wanted:
        asked = [spec.name for spec in comparison.chosen(needs) if spec.method == "prompt"]
        if not asked:
            continue
        try:
            cost = sum(plan.usd_estimate for plan in plans(comparison, needs).values())
        except ModelCompareError as error:
            for name in asked:
                comparison.failures[name] = error
            continue
        own_left = comparison.ledger.left_usd(comparison.cap_usd, comparison.asked_usd)
        left = own_left - planned_usd if comparison.ledger.cap_usd is not None else own_left
        if cost <= left:
            planned_usd += cost
            continue
        refusal = too_dear(comparison, cost, left)
        for name in asked:
            comparison.failures[name] = refusal


def too_dear(comparison: Comparison, cost: float, left: float) -> BudgetError:
    return BudgetError(
        f"the LLM calls would cost about {usd(cost)} USD, and {usd(max(left, 0))} USD may be spent; none was made",
        where=str(comparison.suite.path),
        fix="raise `budget: {usd: …}` in the suite or --modelcompare-budget, or take fewer test rows (`rows:`)",
    )


def ask(
    comparison: Comparison, spec: ContestantSpec, watcher: Watcher, gates: Sequence[GateSpec] | None = None
) -> None:
    """Take the stored answers of one LLM and ask for the rest, or, where it may stop, until its gates are decided.

    Args:
        gates: all that were selected; None: not known, and every row is asked.
    """
    dataset = comparison.dataset_to_ask
    assert dataset is not None
    if spec.name in comparison.failures:
        return
    again = spec.name in comparison.answered
    stopping = None if again else plan_to_ask(comparison, spec.name, gates)
    stages = None if stopping is None else stages_of(comparison, stopping)
    journal = AnswerJournal(comparison.folders)
    with comparison.store.lock(f"ask-{spec.name}"), watcher.job(f"{spec.name}: answers") as progress:
        answered = PromptMethod().run(
            prompt_settings(spec), dataset, journal, llm_options(comparison), comparison.base, progress, stages
        )
    comparison.ledger.note_answers(usd=0.0, calls=0, stored=answered.stored)
    comparison.answered[spec.name] = answered
    if stopping is not None:
        comparison.stopped[spec.name] = stopped_at(comparison, stopping, answered)


def noted(comparison: Comparison) -> Callable[[float, int], None]:
    """What was spent counts, whether or not the rest could be asked."""

    def note(spent: float, calls: int) -> None:
        comparison.asked_usd += spent
        comparison.ledger.note_answers(usd=spent, calls=calls, stored=0)

    return note


def noted_unheard(comparison: Comparison) -> Callable[[float], None]:
    """What may have been billed without our hearing of it stays reserved until the session ends."""

    def note(worst: float) -> None:
        comparison.asked_usd += worst
        comparison.ledger.note_unheard(worst)

    return note
