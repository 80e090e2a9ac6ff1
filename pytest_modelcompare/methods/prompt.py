"""`prompt: PROVIDER:MODEL`: an LLM that is asked row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_modelcompare.llm.answering import Conversation, Step, conversation
from pytest_modelcompare.llm.answers import Answered, AskPlan, LLMOptions
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.providers import LOCAL, provider_kind
from pytest_modelcompare.methods.base import ContestantJobs, ContestantSpec, Desk, Known, Looks, Method
from pytest_modelcompare.methods.local_prompt import LocalPrompt
from pytest_modelcompare.records import Dataset, Evidence
from pytest_modelcompare.records.jobs import Context, Expected, Job, Kind, Place, Results, titled
from pytest_modelcompare.records.progress import Watch, Watcher, silent
from pytest_modelcompare.records.traits import Traits
from pytest_modelcompare.settings import Settings
from pytest_modelcompare.store.answers import AnswerJournal

if TYPE_CHECKING:
    from pytest_modelcompare.store.runs import RunStore


class Prompt(Method):
    """Asks, and takes what is stored."""

    key: ClassVar[str] = "prompt"
    settings: ClassVar[type[Settings]] = PromptSettings
    traits: ClassVar[Traits] = Traits(asks=True)

    def engine(self, settings: PromptSettings) -> Method:
        """A model in this process computes here, as the local methods do."""
        return LocalPrompt() if settings.provider == LOCAL else self

    def libraries(self, settings: PromptSettings) -> tuple[str, ...]:
        chosen = ("dspy",) if settings.optimise is not None else ()
        shown = ("torch", "transformers") if settings.shots_encoder is not None else ()
        return (*provider_kind(settings.provider).libraries, *chosen, *shown)

    def may_stop(self, settings: PromptSettings) -> bool:
        return settings.stop_when_decided

    def jobs(self, spec: ContestantSpec, desk: Desk) -> ContestantJobs:
        """The search for a prompt, where one is wanted, and the rows, part by part where gates may end the asking."""
        if desk.options.smoke or desk.options.llm == "off":
            return ContestantJobs()
        settings, looks = spec.settings, desk.looks(spec.name)
        assert isinstance(settings, PromptSettings)
        journal = AnswerJournal(desk.store.folders)
        talk = conversation(settings, dataset_to_ask(desk.dataset), journal, desk.base)
        plan = talk.plan(desk.asking())
        if looks is not None:
            talk = replace(talk, stages=looks.stages)
        key = f"ask:{plan.key}" if looks is None else f"ask until decided:{plan.key}"
        shared = Asking(spec.name, talk, desk.asking, desk.store)
        jobs: list[Job[Any]] = []
        steps = talk.steps(1 if looks is None else looks.parts, is_searched=plan.is_searched)
        for step in steps:
            is_last = step is steps[-1]
            jobs.append(
                Job(
                    key if is_last else f"{key}/{step.name}",
                    step.name,
                    step.kind,
                    Place.API,
                    AskingStep(shared, step, looks if is_last else None),
                    tuple(jobs[-1:]),
                    () if looks is None else looks.after,
                    stored=plan.missing == 0,
                    expected=expected(plan) if is_last else Expected(),
                    contestant=spec.name,
                )
            )
        return ContestantJobs(tuple(jobs), (jobs[-1],))

    def evidence(self, spec: ContestantSpec, found: Sequence[Answered], known: Known) -> Evidence | None:
        return evidence_of_replies(spec, found[0], known.dataset) if found else None


def expected(plan: AskPlan) -> Expected:
    return Expected(
        plan.missing,
        plan.total,
        plan.input_tokens_estimate + plan.output_tokens_estimate,
        plan.usd_estimate,
        plan.basis,
        plan.error,
        plan.search,
        plan.waiting,
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """What the steps of one contestant's asking share."""

    name: str
    talk: Conversation
    options: Callable[[], LLMOptions]
    store: RunStore


@dataclass(frozen=True, slots=True)
class AskingStep:
    """The work of one step."""

    asking: Asking
    step: Step
    looks: Looks | None

    def __call__(self, context: Context, results: Results) -> Any:  # noqa: ARG002
        asking = self.asking
        if self.step.kind is Kind.LOOK:
            return asking.talk.do(self.step, asking.options())
        with (  # while one process asks, the session's others wait: then they see what is left to be spent
            asking.store.lock(f"ask-{context.options.session}"),
            asking.store.lock(f"ask-{asking.name}"),
            nullcontext(silent) if self.step.is_idle() else self.announced(context.watcher) as watch,
        ):
            found = asking.talk.do(self.step, asking.options(), watch)
        if self.looks is not None:
            self.looks.ended(found)
        return found

    def announced(self, watcher: Watcher) -> AbstractContextManager[Watch]:
        return watcher.job(titled(self.asking.name, self.step.announced_as))


def dataset_to_ask(dataset: Dataset) -> Dataset:
    """What LLMs see: shots come from all training rows, so that a sweep beside them leaves stored answers good."""
    return dataset if dataset.all_train is None else replace(dataset, train=dataset.all_train)


def evidence_of_replies(spec: ContestantSpec, answered: Answered, dataset: Dataset) -> Evidence:
    """On the rows that were asked, and no others: what is not asked is not unanswered."""
    test = dataset.test if answered.rows is None else dataset.test.picked(answered.rows)
    return Evidence(
        spec.name,
        spec.method,
        dataset.labels,
        test.labels,
        test.groups,
        (answered.predictions,),
        traits=Prompt.traits,
        model=spec.model,
        latencies=answered.latencies,
        cost=answered.cost,
        no_cost_because=answered.no_cost_because,
    )
