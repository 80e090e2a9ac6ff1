"""Prompt caching: what requests have in common is marked, written to the service's cache once, and read from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pytest_modelcompare.llm.request import CHARACTERS_PER_TOKEN, Request
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd
from pytest_modelcompare.pricing.prices import PriceTable

MINIMA: tuple[tuple[str, int], ...] = (
    ("claude-haiku-4-5", 4_096),
    ("claude-opus-4-5", 4_096),
    ("claude-opus-4-6", 4_096),
    ("claude-opus-4-7", 2_048),
    ("claude-opus-4-8", 1_024),
    ("claude-opus-4", 1_024),
    ("claude-sonnet-4-6", 2_048),
    ("claude-sonnet-4", 1_024),
    ("claude-sonnet-5-5", 512),
    ("claude-sonnet-5", 1_024),
    ("claude-haiku-5-5", 512),
    ("claude-opus-5", 512),
    ("claude-fable-5", 512),
    ("claude-mythos-5", 512),
    ("claude-3-5-haiku", 2_048),
    ("claude-3-haiku", 2_048),
    ("claude-3", 1_024),
)
"""Beginning of a model's name → tokens below which a prefix is silently not cached; the first that fits counts.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#cache-limitations. Sonnet 4.6 stands
there with 1,024 and was seen to need 2,048: https://github.com/anthropics/anthropic-sdk-python/issues/1194.
"""

UNLISTED = 4_096
"""Of a model that the table does not know: the largest."""

TOO_LOW = 2.0
"""Our estimate may be so many times below the tokens: marks and figures in texts take many."""

FEWEST_SHARING = 3
"""Requests with the same prefix from which marking it pays: a write costs 1.25 times the plain price."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A prefix that requests have in common."""

    turns: int
    """Messages in it, after the system text."""

    tokens: int
    """By characters."""

    requests: tuple[int, ...]
    """Positions of those that have it; the first warms the cache up."""


def minimum_tokens(provider: str, model: str) -> int | None:
    """The smallest prefix that the service caches when told to; None where there is nothing to tell it."""
    if provider != "anthropic":
        return None
    return next((tokens for start, tokens in MINIMA if model.startswith(start)), UNLISTED)


def shared_prefixes(requests: Sequence[Request], tokens_per_estimate: float = TOO_LOW) -> list[Shared]:
    """What is worth marking: the system text with all messages but the last, else the system text alone.

    Args:
        tokens_per_estimate: how many tokens a token of our estimate may turn out to be. By default rather too many:
            a mark that the service does not heed costs nothing.
    """
    if not requests or (least := minimum_tokens(requests[0].provider, requests[0].model)) is None:
        return []
    found: dict[Hashable, list[int]] = {}
    often = Counter(prefix_of(request, len(request.messages) - 1) for request in requests)
    for number, request in enumerate(requests):
        whole = prefix_of(request, len(request.messages) - 1)
        found.setdefault(whole if often[whole] >= FEWEST_SHARING else prefix_of(request, 0), []).append(number)
    shared = []
    for prefix, numbers in found.items():
        turns = len(prefix[-1])  # type: ignore[index]
        tokens = prefix_tokens(requests[numbers[0]], turns)
        if len(numbers) >= FEWEST_SHARING and tokens * tokens_per_estimate >= least:
            shared.append(Shared(turns, tokens, tuple(numbers)))
    return shared


def prefix_of(request: Request, turns: int) -> Hashable:
    """Everything that a service reads before the rest of a request."""
    return (request.system, request.menu, request.form, request.messages[:turns])


def prefix_tokens(request: Request, turns: int) -> int:
    """By characters, as the estimate of a whole request."""
    schema = json.dumps(request.schema()) if request.menu else ""
    texts = "".join(text for _, text in request.messages[:turns])
    return round(len(request.system + schema + texts) / CHARACTERS_PER_TOKEN)


def marked(requests: Sequence[Request], shared: Sequence[Shared]) -> list[Request]:
    """The requests with their prefix marked. Their keys stay what they are."""
    found = list(requests)
    for prefix in shared:
        for number in prefix.requests:
            found[number] = replace(found[number], cached_turns=prefix.turns)
    return found


def saved_usd(model: str, usages: Sequence[tuple[Usage, datetime]], prices: PriceTable | None) -> tuple[float, float]:
    """What the cache saved, and what was paid.

    Args:
        usages: tokens and date of each request.

    Raises:
        GateError: the model has no known price.
    """
    saved = paid = 0.0
    for usage, at in usages:
        cost = float(answer_cost_usd(model, usage, at, prices))
        paid += cost
        written = usage.cache_write_tokens + usage.cache_write_1h_tokens
        if usage.cache_read_tokens + written:
            plain = replace(
                usage,
                input_tokens=usage.input_tokens + usage.cache_read_tokens + written,
                cache_read_tokens=0,
                cache_write_tokens=0,
                cache_write_1h_tokens=0,
            )
            saved += float(answer_cost_usd(model, plain, at, prices)) - cost
    return saved, paid


def saving_note(usages: Sequence[Usage], saved: float, paid: float) -> str:
    """What is said of it in the report."""
    read = sum(usage.cache_read_tokens for usage in usages)
    total = sum(usage.all_input_tokens for usage in usages)
    return (
        f"prompt caching: {read / total:.0%} of the input tokens were read from the cache, which saved "
        f"{saved:.4f} of {saved + paid:.4f} USD; in use it does so while requests keep coming within five minutes"
    )
