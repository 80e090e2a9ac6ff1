"""What missing answers would cost, before the first of them is asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Literal

from pytest_modelcompare.contestants.answers import LLMOptions
from pytest_modelcompare.contestants.clients import client_for
from pytest_modelcompare.contestants.prompt import PromptSettings
from pytest_modelcompare.errors import LLMError, UnavailableError
from pytest_modelcompare.llm.caching import Shared, minimum_tokens, shared_prefixes
from pytest_modelcompare.llm.prompts import TOKENS_PER_PROBABILITY
from pytest_modelcompare.llm.provider import GrammarTooLarge, Provider, Transient
from pytest_modelcompare.llm.providers import provider_kind
from pytest_modelcompare.llm.purse import price_of
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.wording import LIKELIEST, PROBABILITIES_KEY, worded
from pytest_modelcompare.pricing.price_list import Usage, priced_tier

OUTPUT_TOKENS_ESTIMATE = 24
"""A label in JSON, by guess. Thinking comes on top where `effort` is set."""

COUNTED = 20
"""Requests that the service is asked to count."""

COUNTED_ANSWERS = 5
COUNTED_PREFIXES = 20
HIGH_SIDE = "estimated by characters, on the high side"
ENDING_TOKENS = 3
"""What ends an answer, beside its text."""

ENOUGH_STORED = 10
"""Stored answers of a contestant from which its tokens are known better than by any count."""

TOO_HIGH = 1.5
"""The estimate by characters may be so many times the tokens: a prefix that just reaches the cache's minimum by it
is not counted on to be cached."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How tokens follow from requests."""

    tokens_per_estimate: float
    """Input tokens per token of the estimate by characters."""

    output: dict[str, float]
    """By form; forms that are missing are guessed."""

    prefixes: list[Shared]
    """Those that the service will cache, with their tokens."""

    kind: Literal["characters", "counted", "stored"]
    basis: str
    """The same in words."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking would take."""

    usd: float
    input_tokens: int
    output_tokens: int
    basis: str


def estimate(
    missing: Sequence[Request],
    stored: Sequence[tuple[Request, Reply]],
    labels: Sequence[str],
    settings: PromptSettings,
    options: LLMOptions,
    base: Path,
) -> Estimate:
    """Price every missing request by itself, its cached prefix and its batch's discount included.

    Args:
        stored: answers that the contestant has already.
        labels: of the menu, also where it is not sent as one.

    Raises:
        GateError: the model has no known price.
    """
    if not missing:
        return Estimate(0.0, 0, 0, "")
    sizes = sizes_of_stored(missing, stored) or counted(missing, labels, settings, base) or sizes_by_characters(missing)
    inputs = [round(request.input_tokens_estimate() * sizes.tokens_per_estimate) for request in missing]
    outputs = [output_tokens(request, sizes) for request in missing]
    tier = priced_tier(settings.service_tier)
    usages = [Usage(into, out, batch=settings.batch, tier=tier) for into, out in zip(inputs, outputs, strict=True)]
    if not settings.batch:
        for prefix in sizes.prefixes:
            with_cache(usages, prefix)
    usd = sum(price_of(request, options.prices, usage) for request, usage in zip(missing, usages, strict=True))
    return Estimate(usd, sum(inputs), sum(outputs), sizes.basis)


def with_cache(usages: list[Usage], prefix: Shared) -> None:
    """The first request writes the prefix, the others read it."""
    for place, number in enumerate(prefix.requests):
        plain = usages[number]
        part = min(prefix.tokens, plain.input_tokens)
        read, written = (part, 0) if place else (0, part)
        usages[number] = replace(
            plain, input_tokens=plain.input_tokens - part, cache_read_tokens=read, cache_write_tokens=written
        )


def sizes_by_characters(missing: Sequence[Request]) -> Sizes:
    """With nothing better at hand."""
    return Sizes(1.0, {}, shared_prefixes(missing, 1 / TOO_HIGH), "characters", HIGH_SIDE)


def sizes_of_stored(missing: Sequence[Request], stored: Sequence[tuple[Request, Reply]]) -> Sizes | None:
    """As the contestant's answers so far; None where these are too few."""
    billed = [(request, reply) for request, reply in stored if reply.usage.total]
    if len(billed) < ENOUGH_STORED:
        return None
    taken = sum(reply.usage.total - reply.usage.output_tokens for _, reply in billed)
    by_form: dict[str, list[int]] = {}
    for request, reply in billed:
        by_form.setdefault(request.form, []).append(reply.usage.output_tokens)
    factor = taken / sum(request.input_tokens_estimate() for request, _ in billed)
    basis = f"as its {len(billed):,} stored answers took"
    output = {form: mean(tokens) for form, tokens in by_form.items()}
    cached = any(reply.usage.cache_read_tokens for _, reply in billed)
    prefixes = [replace(prefix, tokens=round(prefix.tokens * factor)) for prefix in shared_prefixes(missing) if cached]
    return Sizes(factor, output, prefixes, "stored", basis)


def counted(missing: Sequence[Request], labels: Sequence[str], settings: PromptSettings, base: Path) -> Sizes | None:
    """As the service counts a sample; None where it does not count, or cannot be reached."""
    if not provider_kind(settings.provider).counts_tokens:
        return None
    by_length = sorted(missing, key=lambda request: len(request.whole_text()))
    step = max(1, len(by_length) // COUNTED)
    sample = by_length[step // 2 :: step][:COUNTED]
    forms = {request.form: request for request in sample}
    longer = [
        (request, replace(request, messages=(*request.messages[:-1], said(request, answer))))
        for request in forms.values()
        for answer in some_answers(request, labels)
    ]
    shared = [] if settings.batch else shared_prefixes(missing)[:COUNTED_PREFIXES]
    heads = [alone(missing[prefix.requests[0]], prefix.turns) for prefix in shared]
    wanted = [*sample, *(one for pair in longer for one in pair), *heads]
    try:
        tokens = iter(asyncio.run(count(client_for(settings, base), wanted)))
    except (LLMError, Transient, GrammarTooLarge, UnavailableError):
        return None
    factor = sum(islice(tokens, len(sample))) / sum(request.input_tokens_estimate() for request in sample)
    by_form: dict[str, list[int]] = {}
    for request, _ in longer:
        before, after = next(tokens), next(tokens)
        by_form.setdefault(request.form, []).append(after - before + ENDING_TOKENS)
    least = minimum_tokens(missing[0].provider, missing[0].model) or 0
    prefixes = [replace(prefix, tokens=found) for prefix, found in zip(shared, tokens, strict=True) if found >= least]
    basis = f"tokens counted by the service on {len(sample):,} requests"
    return Sizes(factor, {form: mean(found) for form, found in by_form.items()}, prefixes, "counted", basis)


def alone(request: Request, turns: int) -> Request:
    """A prefix, with as little as can be behind it."""
    return replace(request, messages=(*request.messages[:turns], ("user", ".")))


async def count(provider: Provider, requests: Sequence[Request]) -> list[int]:
    """Tokens of each request, all counted at once."""
    try:
        first = await provider.count_tokens(requests[0])  # type: ignore[attr-defined]  # alone: it may not count
        rest = (provider.count_tokens(request) for request in requests[1:])  # type: ignore[attr-defined]
        return [first, *await asyncio.gather(*rest)]
    finally:
        await provider.close()


def said(request: Request, answer: str) -> tuple[str, str]:
    """The last message with an answer below it, to see what the answer adds."""
    role, text = request.messages[-1]
    return role, f"{text}\n{answer}"


def some_answers(request: Request, labels: Sequence[str]) -> list[str]:
    """What a model may reply; labels spread over the menu by length."""
    by_length = sorted(labels, key=len)
    if request.form == "label":
        step = max(1, len(labels) // COUNTED_ANSWERS)
        chosen = by_length[step // 2 :: step][:COUNTED_ANSWERS]
        return [worded(label, structured=request.menu is not None) for label in chosen]
    entries = by_length if request.form == "every" else by_length[len(labels) // 2 :][:LIKELIEST]
    return [json.dumps({PROBABILITIES_KEY: [{"label": label, "probability": 0.05} for label in entries]})]


def output_tokens(request: Request, sizes: Sizes) -> int:
    """What an answer is expected to take; with thinking, all that it may, where nothing better is known."""
    thinks_unseen = request.effort is not None and sizes.kind != "stored"
    if request.form in sizes.output and not thinks_unseen:
        return min(round(sizes.output[request.form]), request.max_output_tokens)
    if request.effort:
        return request.max_output_tokens
    if request.form == "label":
        return min(OUTPUT_TOKENS_ESTIMATE, request.max_output_tokens)
    entries = len(request.menu or ()) if request.form == "every" else 0
    return OUTPUT_TOKENS_ESTIMATE + (entries or LIKELIEST) * TOKENS_PER_PROBABILITY // 2
