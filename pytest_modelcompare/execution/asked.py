"""LLM calls: refused where the plan is too dear, else asked with what may still be spent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pytest_modelcompare.errors import BudgetError, ModelCompareError
from pytest_modelcompare.execution.stopping import plan_to_ask, stages_of, stopped_at
from pytest_modelcompare.execution.watch import Watcher
from pytest_modelcompare.llm.answering import AskPlan, LLMOptions, PromptMethod
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.methods.base import ContestantSpec
from pytest_modelcompare.pricing.dollars import usd
from pytest_modelcompare.store.answers import AnswerJournal
from pytest_modelcompare.store.batches import BatchLog
from pytest_modelcompare.store.spending import SpendingLog

if TYPE_CHECKING:
    from pytest_modelcompare.execution.comparison import Comparison, Needs
    from pytest_modelcompare.gates.spec import GateSpec


def plans(comparison: Comparison, needs: Needs) -> dict[str, AskPlan]:
    """What each LLM would be asked, and the estimate of its price.

    Raises:
        ModelCompareError: one of them cannot be asked.
    """
    return {name: plan_of(comparison, name) for name in to_plan(comparison, needs)}


def to_plan(comparison: Comparison, needs: Needs) -> list[str]:
    """The LLMs that would be asked."""
    if comparison.dataset_to_ask is None or comparison.options.smoke or comparison.options.llm == "off":
        return []
    chosen = [spec.name for spec in comparison.chosen(needs) if spec.method == "prompt"]
    return [name for name in chosen if name not in comparison.failures]


def plan_of(comparison: Comparison, name: str) -> AskPlan:
    settings, dataset = prompt_settings(comparison.suite.contestants[name]), comparison.dataset_to_ask
    assert dataset is not None
    journal = AnswerJournal(comparison.folders)
    return PromptMethod().plan(settings, dataset, journal, llm_options(comparison), comparison.base)


def prompt_settings(spec: ContestantSpec) -> PromptSettings:
    assert isinstance(spec.settings, PromptSettings)
    return spec.settings


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


def refuse_dear_plans(wanted: Sequence[tuple[Comparison, Needs]]) -> None:
    """Before the first call: what all suites together would cost must fit what may be spent."""
    planned_usd = 0.0
    for comparison, needs in wanted:
        found = dict[str, AskPlan]()
        for name in to_plan(comparison, needs):
            try:
                found[name] = plan_of(comparison, name)
            except ModelCompareError as error:
                comparison.note_failure(name, error)
        cost = sum(plan.usd_estimate for plan in found.values())
        own_left = left_usd(comparison)
        left = own_left - planned_usd if comparison.ledger.cap_usd is not None else own_left
        if cost <= left:
            planned_usd += cost
            continue
        refusal = too_dear(comparison, cost, left)
        comparison.failures |= {name: refusal for name, plan in found.items() if plan.missing}


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
    with (
        comparison.store.lock(f"ask-{comparison.options.session}"),  # one process after the other sees what is left
        comparison.store.lock(f"ask-{spec.name}"),
        watcher.job(f"{spec.name}: answers") as progress,
    ):
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
