"""The search for a better prompt on training rows, asked for and stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pytest_modelcompare.contestants.answers import LLMOptions
from pytest_modelcompare.contestants.base import Progress
from pytest_modelcompare.contestants.fetching import Fetcher, require_way_to_ask
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.contestants.prompt_trials import Search
from pytest_modelcompare.contestants.prompting import prompt_plan
from pytest_modelcompare.contestants.proposals import proposer_name, require_dspy
from pytest_modelcompare.contestants.search_field import field_of
from pytest_modelcompare.contestants.searched import Choice, choice_keys, searchable
from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request, first_record
from pytest_modelcompare.records import Dataset


def search_prompt(
    settings: PromptSettings, dataset: Dataset, fetcher: Fetcher, progress: Callable[[Progress], None]
) -> None:
    """Choose a prompt and store it, unless one is stored. A search that was cut short asks nothing twice.

    Raises:
        LLMError, BudgetError: it could not be searched; the answers so far are stored.
        UnavailableError: DSPy is not installed.
    """
    if settings.optimise is None:
        return
    journal = fetcher.journal
    plan, pool = prompt_plan(settings, dataset, journal, fetcher.base), searchable(dataset)
    keys = choice_keys(settings, plan, pool, fetcher.base)
    if first_record(journal, keys) is not None:
        return
    require_way_to_search(settings, fetcher.options)
    spent = fetcher.calls, fetcher.usd

    def replies(requests: Sequence[Request]) -> Sequence[Reply]:
        def tell(done: int, usd: float) -> None:
            if len(requests) > 1:  # one at a time are proposals
                progress(Progress(done, len(requests), f"searching a prompt, {usd:.4f} USD"))

        return fetcher.replies(requests, tell)

    search = Search(settings, plan, field_of(settings, dataset, pool, journal, fetcher.base), replies)
    best = search.run()
    choice = Choice(
        search.instructions[best.instructions],
        search.where.sets[best.shots].places,
        best.right,
        search.trials[0].right,
        len(search.where.dataset.test),
        len(search.trials),
        fetcher.calls - spent[0],
        fetcher.usd - spent[1],
        datetime.now(UTC).isoformat(),
        proposer_name(),
    )
    journal.put(keys[0], choice.as_record(fetcher.options.session))


def require_way_to_search(settings: PromptSettings, options: LLMOptions) -> None:
    """Raises LLMError or UnavailableError where no prompt can be searched here."""
    if options.mode == "replay":
        raise LLMError(
            f"the prompt of {settings.model} is not chosen yet, and --modelcompare-llm=replay asks nothing",
            fix="run once with --modelcompare-llm=auto and a key, or bring the store or a recording along",
        )
    require_way_to_ask(settings, 1, 1, options, "")
    require_dspy()
