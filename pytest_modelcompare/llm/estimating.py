"""What missing answers would cost, before the first of them is asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import exp, sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Literal

from pytest_modelcompare.errors import LLMError, UnavailableError
from pytest_modelcompare.llm.answers import LLMOptions
from pytest_modelcompare.llm.caching import Shared, minimum_tokens, prefix_of, shared_prefixes
from pytest_modelcompare.llm.fetching import client_for
from pytest_modelcompare.llm.prompt_settings import PromptSettings
from pytest_modelcompare.llm.prompts import TOKENS_PER_PROBABILITY
from pytest_modelcompare.llm.provider import GrammarTooLarge, Provider, Transient
from pytest_modelcompare.llm.providers import provider_kind
from pytest_modelcompare.llm.purse import price_of
from pytest_modelcompare.llm.reply import Reply
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.llm.wording import LIKELIEST, PROBABILITIES_KEY, worded
from pytest_modelcompare.pricing.price_list import Usage, priced_tier
from pytest_modelcompare.store.index import TokenSums

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

ENOUGH_OF_A_MODEL = 50
"""Stored answers of a model, to whatever it was asked, from which its tokens per character are known."""

STANDARD_ERRORS = 2
"""How many an estimate is said to be within."""

OUTPUT_BY_GUESS = 0.5
"""How far off the length of an answer may be that no answer tells, relative."""

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

    kind: Literal["characters", "model", "counted", "stored"]
    basis: str
    """The same in words."""

    input_error: float | None = None
    """Relative standard error of the input tokens that are expected; None: not known."""

    output_error: float = OUTPUT_BY_GUESS / STANDARD_ERRORS
    """The same of the output tokens."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking would take."""

    usd: float
    input_tokens: int
    output_tokens: int
    basis: str
    error: float | None = None
    """Relative: the bill is expected within as much of it; None: not known."""


def estimate(
    missing: Sequence[Request],
    stored: Sequence[tuple[Request, Reply]],
    labels: Sequence[str],
    settings: PromptSettings,
    options: LLMOptions,
    base: Path,
    known: TokenSums | None = None,
) -> Estimate:
    """Price every missing request by itself, its cached prefix and its batch's discount included.

    Args:
        stored: answers that the contestant has already.
        labels: of the menu, also where it is not sent as one.
        known: what the model's answers took, to whatever it was asked.

    Raises:
        GateError: the model has no known price.
    """
    if not missing:
        return Estimate(0.0, 0, 0, "")
    sizes = (
        sizes_of_stored(missing, stored)
        or counted(missing, labels, settings, base)
        or sizes_of_model(missing, known)
        or sizes_by_characters(missing)
    )
    inputs = [round(request.input_tokens_estimate() * sizes.tokens_per_estimate) for request in missing]
    outputs = [output_tokens(request, sizes) for request in missing]
    tier = priced_tier(settings.service_tier)
    usages = [Usage(into, out, batch=settings.batch, tier=tier) for into, out in zip(inputs, outputs, strict=True)]
    if not settings.batch:
        for prefix in sizes.prefixes:
            with_cache(usages, prefix)
    usd = sum(price_of(request, options.prices, usage) for request, usage in zip(missing, usages, strict=True))
    unanswered = [replace(usage, output_tokens=0) for usage in usages]
    asking = sum(price_of(request, options.prices, usage) for request, usage in zip(missing, unanswered, strict=True))
    return Estimate(usd, sum(inputs), sum(outputs), sizes.basis, error_of(sizes, asking, usd))


def error_of(sizes: Sizes, asking: float, usd: float) -> float | None:
    """How far off the price may be, relative, from the errors of both kinds of tokens.

    Args:
        asking: of the price, that of the input.
    """
    if sizes.input_error is None:
        return None
    if usd == 0:
        return 0.0
    return STANDARD_ERRORS * sqrt((sizes.input_error * asking) ** 2 + (sizes.output_error * (usd - asking)) ** 2) / usd


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


def sizes_of_model(missing: Sequence[Request], known: TokenSums | None) -> Sizes | None:
    """As the model's answers to other questions; None where these are too few.

    One question's ratio of tokens to characters may be another than all others': the error is how much single
    answers' ratios spread, not how well their mean is known.
    """
    if known is None or known.answers < ENOUGH_OF_A_MODEL:
        return None
    spread = sqrt(max(0.0, known.squares - known.logs**2 / known.answers) / (known.answers - 1))
    factor = known.input / known.estimated
    basis = f"as many tokens per character as in the model's {known.answers:,} stored answers"
    return Sizes(factor, {}, shared_prefixes(missing, factor), "model", basis, exp(spread) - 1)


def ratio_error(taken: Sequence[float], expected: Sequence[float], ahead: int) -> float:
    """Relative standard error of `ahead` more numbers' sum, expected at the ratio of these sums (ratio estimator).

    Args:
        taken: what was measured.
        expected: what was expected of the same, in any unit.
    """
    n, factor = len(taken), sum(taken) / sum(expected)
    left = stdev([one - factor * of for one, of in zip(taken, expected, strict=True)]) if n > 1 else 0.0
    return left * sqrt(1 / n + 1 / ahead) / mean(taken)


def sizes_of_stored(missing: Sequence[Request], stored: Sequence[tuple[Request, Reply]]) -> Sizes | None:
    """As the contestant's answers so far; None where these are too few."""
    billed = [(request, reply) for request, reply in stored if reply.usage.total]
    if len(billed) < ENOUGH_STORED:
        return None
    by_form: dict[str, list[int]] = {}
    for request, reply in billed:
        by_form.setdefault(request.form, []).append(reply.usage.output_tokens)
    expected = [request.input_tokens_estimate() for request, _ in billed]
    taken = [reply.usage.all_input_tokens for _, reply in billed]
    factor = sum(taken) / sum(expected)
    basis = f"as its {len(billed):,} stored answers took"
    output = {form: mean(tokens) for form, tokens in by_form.items()}
    cached = any(reply.usage.cache_read_tokens for _, reply in billed)
    prefixes = []
    for prefix in shared_prefixes(missing) if cached else ():
        known = tokens_read(missing[prefix.requests[0]], prefix.turns, billed)
        prefixes.append(replace(prefix, tokens=known or round(prefix.tokens * factor)))
    given = [reply.usage.output_tokens for _, reply in billed]
    of_form = [output[request.form] for request, _ in billed]
    ahead = len(missing)
    errors = (ratio_error(taken, expected, ahead), ratio_error(given, of_form, ahead) if sum(given) else 0.0)
    return Sizes(factor, output, prefixes, "stored", basis, *errors)


def tokens_read(request: Request, turns: int, billed: Sequence[tuple[Request, Reply]]) -> int:
    """Tokens that answers to requests with this one's prefix read from the cache, in the mean; 0: none did."""
    prefix = prefix_of(request, turns)
    read = [reply.usage.cache_read_tokens for one, reply in billed if prefix_of(one, turns) == prefix]
    return round(mean(some)) if (some := [tokens for tokens in read if tokens]) else 0


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
    found, expected = list(islice(tokens, len(sample))), [request.input_tokens_estimate() for request in sample]
    factor = sum(found) / sum(expected)
    by_form: dict[str, list[int]] = {}
    for request, _ in longer:
        before, after = next(tokens), next(tokens)
        by_form.setdefault(request.form, []).append(after - before + ENDING_TOKENS)
    least = minimum_tokens(missing[0].provider, missing[0].model) or 0
    prefixes = [replace(prefix, tokens=size) for prefix, size in zip(shared, tokens, strict=True) if size >= least]
    basis = f"tokens counted by the service on {len(sample):,} requests"
    # which labels will be given is not known, so the spread of their lengths is the error, not that of their mean
    output_error = max(stdev(sizes) / mean(sizes) if len(sizes) > 1 else 0.0 for sizes in by_form.values())
    input_error = ratio_error(found, expected, len(missing))
    output = {form: mean(sizes) for form, sizes in by_form.items()}
    return Sizes(factor, output, prefixes, "counted", basis, input_error, output_error)


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
