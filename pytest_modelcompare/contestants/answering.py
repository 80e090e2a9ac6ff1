"""How an LLM contestant is planned, asked and replayed."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from pytest_modelcompare.contestants.base import Progress, silent
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.errors import GateError, LLMError, UnavailableError
from pytest_modelcompare.llm.anthropic_provider import AnthropicProvider, api_key
from pytest_modelcompare.llm.asking import Asker, price_of
from pytest_modelcompare.llm.pace import Retries
from pytest_modelcompare.llm.prompts import LARGEST_MENU, PromptPlan, Request, requests_for
from pytest_modelcompare.llm.provider import GrammarTooLarge
from pytest_modelcompare.llm.reply import Reply, label_in, reply_from
from pytest_modelcompare.pricing.answers import answers_cost
from pytest_modelcompare.pricing.price_list import PriceTable
from pytest_modelcompare.records import Cost, Dataset, Latencies, Predictions

BLOCKS = 20


@dataclass(frozen=True, slots=True)
class AskPlan:
    """What asking would take."""

    total: int
    missing: int
    """Requests that would be made; equal texts make one."""

    usd_estimate: float
    input_tokens_estimate: int
    output_tokens_estimate: int


def unheard(usd: float, calls: int) -> None:
    """Where nobody keeps books."""


@dataclass(frozen=True, slots=True)
class LLMOptions:
    """How a session asks."""

    mode: Literal["auto", "replay", "refresh", "off"]
    budget_usd: float
    """What may still be spent."""

    session: str
    prices: PriceTable | None = None
    retries: Retries = field(default_factory=Retries)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the session is interrupted: no more is asked."""

    note: Callable[[float, int], None] = unheard
    """Told the USD spent and the calls made, also when asking ends in an error."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An LLM's answers on the test rows."""

    predictions: Predictions
    latencies: Latencies | None
    cost: Cost | None
    no_cost_because: str
    recorded: str
    """When the answers were given: a date or a range."""

    calls: int
    usd: float
    stored: int
    notes: list[str]


class Journal(Protocol):
    """Where answers are kept."""

    def get(self, key: str) -> dict[str, Any] | None: ...

    def put(self, key: str, record: dict[str, Any]) -> None: ...


OUTPUT_TOKENS_ESTIMATE = 24
"""A label in JSON. Thinking comes on top where `effort` is set."""

FREE_TEXT = "labels#free-text"
"""Under this key the journal remembers that a service refused a menu as too large."""


class PromptMethod:
    """Plans, asks and replays."""

    key = "prompt"

    def plan(
        self, settings: PromptSettings, dataset: Dataset, journal: Journal, options: LLMOptions, base: Path
    ) -> AskPlan:
        """What is stored, what is missing, and an estimate of its price.

        Raises:
            LLMError: answers are missing and cannot be asked for.
        """
        requests = requests_for(prompt_plan(settings, dataset, journal, base), dataset)
        missing = distinct(request for request in requests if stored_reply(request, journal, options) is None)
        require_way_to_ask(settings, len(missing), len(requests), options)
        output = settings.max_output_tokens if settings.effort else OUTPUT_TOKENS_ESTIMATE
        usd = sum(price_of(request, options.prices, request.input_tokens_estimate(), output) for request in missing)
        tokens = sum(request.input_tokens_estimate() for request in missing)
        return AskPlan(len(requests), len(missing), usd, tokens, output * len(missing))

    def run(
        self,
        settings: PromptSettings,
        dataset: Dataset,
        journal: Journal,
        options: LLMOptions,
        base: Path,
        progress: Callable[[Progress], None] = silent,
    ) -> Answered:
        """Take the stored answers, ask for the rest, read the labels.

        Raises:
            LLMError, BudgetError: not every row has an answer; those so far are stored.
        """
        plan = prompt_plan(settings, dataset, journal, base)
        try:
            return self.replies(plan, settings, dataset, journal, options, progress)
        except GrammarTooLarge as refusal:
            journal.put(menu_key(settings, dataset), {"refused": str(refusal)})
            plan = prompt_plan(settings, dataset, journal, base)
            return self.replies(plan, settings, dataset, journal, options, progress)

    def replies(
        self,
        plan: PromptPlan,
        settings: PromptSettings,
        dataset: Dataset,
        journal: Journal,
        options: LLMOptions,
        progress: Callable[[Progress], None],
    ) -> Answered:
        requests = requests_for(plan, dataset)
        found = [stored_reply(request, journal, options) for request in requests]
        # equal texts make equal requests: asked once, answered alike
        pairs = zip(requests, found, strict=True)
        missing = distinct(request for request, reply in pairs if reply is None)
        require_way_to_ask(settings, len(missing), len(requests), options)
        calls, usd = 0, 0.0
        if missing:
            asker = Asker(
                AnthropicProvider(settings.api_key_env, plan.base_url),
                journal,
                options.session,
                options.budget_usd,
                options.prices,
                settings.max_concurrency,
                options.retries,
                options.stop,
            )
            try:
                new = asker.ask(
                    missing, lambda done: progress(Progress(done, len(missing), f"{asker.spent_usd:.4f} USD"))
                )
            finally:
                options.note(asker.spent_usd, asker.calls)
            by_key = {request.key(): reply for request, reply in zip(missing, new, strict=True)}
            found = [reply or by_key[request.key()] for request, reply in zip(requests, found, strict=True)]
            calls, usd = asker.calls, asker.spent_usd
        whole = [reply for reply in found if reply is not None]
        stored = sum(reply.session != options.session for reply in whole)
        return answered(whole, settings, dataset, options, plan, calls, usd, stored)


def distinct(requests: Iterable[Request]) -> list[Request]:
    """One of each."""
    return list({request.key(): request for request in requests}.values())


def address(settings: PromptSettings) -> str | None:
    """Where requests go; the SDK reads the same variable."""
    return settings.base_url or os.environ.get("ANTHROPIC_BASE_URL") or None


def prompt_plan(settings: PromptSettings, dataset: Dataset, journal: Journal, base: Path) -> PromptPlan:
    """How this contestant asks; free text where the menu is too large for a grammar."""
    provider, _, model = settings.model.partition(":")
    fits = len(dataset.labels) <= LARGEST_MENU and journal.get(menu_key(settings, dataset)) is None
    return PromptPlan(
        provider,
        model,
        instructions_text(settings, base),
        settings.shots,
        settings.max_output_tokens,
        settings.effort,
        address(settings),
        fits,
    )


def menu_key(settings: PromptSettings, dataset: Dataset) -> str:
    return FREE_TEXT + hashlib.sha256(repr((settings.model, address(settings), dataset.labels)).encode()).hexdigest()


def instructions_text(settings: PromptSettings, base: Path) -> str | None:
    """The instructions, from their file where a path is given.

    Raises:
        LLMError: there is no such file.
    """
    text = settings.instructions
    if text is None or not text.endswith((".txt", ".md")) or "\n" in text:
        return text
    try:
        return (base / text).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LLMError(f"the instructions cannot be read: {error}", where=str(base / text)) from error


def stored_reply(request: Request, journal: Journal, options: LLMOptions) -> Reply | None:
    """The stored answer; under `refresh` only one that this session asked for."""
    record = journal.get(request.key())
    if record is None or (options.mode == "refresh" and record["session"] != options.session):
        return None
    return reply_from(record)


def require_way_to_ask(settings: PromptSettings, missing: int, total: int, options: LLMOptions) -> None:
    """What is missing must be askable."""
    if not missing:
        return
    if options.mode == "replay":
        raise LLMError(
            f"{missing:,} of {total:,} answers of {settings.model} are not stored, and "
            "--modelcompare-llm=replay asks for none",
            fix="run once with --modelcompare-llm=auto and a key, or bring the store along",
        )
    if options.mode == "off":
        raise UnavailableError(f"{settings.model} would be asked, and --modelcompare-llm=off")
    api_key(settings.api_key_env)


def answered(
    replies: Sequence[Reply],
    settings: PromptSettings,
    dataset: Dataset,
    options: LLMOptions,
    plan: PromptPlan,
    calls: int,
    usd: float,
    stored: int,
) -> Answered:
    """Labels, times and cost of a full set of replies."""
    numbers = dataset.label_number()
    read = [label_in(reply, numbers) for reply in replies]
    failures = Counter(kind for _, kind in read if kind is not None)
    cost, because = None, ""
    try:
        cost = answers_cost(
            [reply.usage for reply in replies], [reply.date for reply in replies], settings.model, options.prices
        )
    except GateError as error:
        because = str(error)
    days = sorted(reply.created[:10] for reply in replies)
    notes = (
        []
        if plan.structured
        else ["answers are free text, checked here: the menu is too large for the service's grammar"]
    )
    if settings.shots:
        notes.append(f"the first {settings.shots} training rows as shots")
    return Answered(
        Predictions(np.array([label for label, _ in read], np.int64), None, "", dict(failures)),
        latencies(replies, settings),
        cost,
        because,
        days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
        calls,
        usd,
        stored,
        notes,
    )


def latencies(replies: Sequence[Reply], settings: PromptSettings) -> Latencies:
    """The requests as measured when they were made, in blocks by time: what slows a service lasts for a while."""
    order = sorted(range(len(replies)), key=lambda row: replies[row].created)
    ms = np.array([replies[row].latency_ms for row in order])
    blocks = (np.arange(len(ms)) * BLOCKS // len(ms)).astype(np.int64)
    newest = max(reply.created for reply in replies)
    return Latencies(ms, blocks, f"{settings.model} as a service", f"asked {newest}", newest)
