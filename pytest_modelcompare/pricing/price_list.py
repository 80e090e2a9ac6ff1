"""What an answer of an LLM costs, by a dated price table or the suite's own prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.pricing.prices import Prices, PriceTable, added_price

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation as Calculation

MILLION = Decimal(1_000_000)
PRICED_TIERS = ("flex", "priority", "fast")
"""Tiers with a price of their own, as OpenAI names them."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, as Anthropic reports them: cached tokens are not among `input_tokens`."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    """Written to the five-minute cache."""

    cache_write_1h_tokens: int = 0
    batch: bool = False
    tier: str = ""
    """The service's own name of the tier that served it, where that has a price of its own: flex, priority, fast."""

    thinking_tokens: int = 0
    """Of `output_tokens`, among which they are billed."""

    @property
    def total(self) -> int:
        written = self.cache_write_tokens + self.cache_write_1h_tokens
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + written

    @property
    def all_input_tokens(self) -> int:
        """What was sent, cached or not."""
        return self.total - self.output_tokens

    @property
    def is_counted(self) -> bool:
        """Whether all its numbers are counts: what services and files hold may be anything."""
        read, written = self.cache_read_tokens, (self.cache_write_tokens, self.cache_write_1h_tokens)
        numbers = (self.input_tokens, self.output_tokens, read, *written, self.thinking_tokens)
        return all(type(number) is int and number >= 0 for number in numbers)


def priced_tier(tier: str | None) -> str:
    """The tier as `Usage` holds it; empty for those at the plain price."""
    return tier if tier in PRICED_TIERS else ""


def answer_cost_usd(model: str, usage: Usage, at: datetime, prices: PriceTable | None = None) -> Decimal:
    """The price of one request. Tiers count by request, so a sum of tokens must never be priced.

    Args:
        model: `provider:model`.
        at: when the request was made; prices move.
        prices: the suite's own, which come first.

    Raises:
        GateError: the price table does not know the model, or a count of tokens is negative.
    """
    require_counts(model, usage)
    own = (prices or {}).get(model) or added_price(model)
    return own_cost(own, usage) if own else listed_cost(model, usage, at).total_price


def require_counts(model: str, usage: Usage) -> None:
    written = min(usage.cache_write_tokens, usage.cache_write_1h_tokens)
    if min(usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, written) < 0:
        raise GateError(f"an answer of {model} has a negative count of tokens, so it has no cost")


def own_cost(price: Prices, usage: Usage) -> Decimal:
    """By the suite's prices."""
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    written = usage.cache_write_tokens + usage.cache_write_1h_tokens
    total = usage.input_tokens * price.input + usage.output_tokens * price.output
    whole = (total + usage.cache_read_tokens * read + written * write) / MILLION
    return whole * price.batch if usage.batch else whole


def listed_cost(model: str, usage: Usage, at: datetime) -> Calculation:
    """By the price table, which knows no time shorter than a minute."""
    return looked_up(model, usage, at.replace(second=0, microsecond=0))


@lru_cache(maxsize=4096)  # a look-up takes 0.1 ms, and answers of a suite are alike
def looked_up(model: str, usage: Usage, at: datetime) -> Calculation:
    """By the price table of genai-prices, whose `input_tokens` include the cached ones."""
    from genai_prices import Usage as ListedUsage
    from genai_prices import calc_price

    provider, _, name = model.partition(":")
    written = usage.cache_write_tokens + usage.cache_write_1h_tokens
    listed = ListedUsage(
        input_tokens=usage.input_tokens + usage.cache_read_tokens + written,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=written,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
    )
    try:
        found = calc_price(listed, name, provider_id=provider, genai_request_timestamp=at)
        if not (context := price_context(usage)):
            return found
        special = calc_price(listed, name, provider_id=provider, genai_request_timestamp=at, price_context=context)
    except LookupError as error:
        raise unpriced(f"no price is known for {model}", model) from error
    if special.model_price == found.model_price:  # the table falls back to the plain price without a word
        raise unpriced(f"no price is known for {model} with {', '.join(context.values())} processing", model)
    return special


def price_context(usage: Usage) -> dict[str, str]:
    """What the price table asks beside the model."""
    batch = {"processing": "batch"} if usage.batch else {}
    return batch | ({"service_tier": usage.tier} if usage.tier else {})


def unpriced(what: str, model: str) -> GateError:
    example = f'`prices: {{"{model}": {{input: 0.10, output: 0.50}}}}`'
    return GateError(what, fix=f"give your own in the suite, in USD per million tokens: {example}")


def price_note(
    model: str, at: datetime, prices: PriceTable | None = None, *, batch: bool = False, tier: str = ""
) -> str:
    """The prices used, for the line of assumptions below the table."""
    own = (prices or {}).get(model)
    how = (", in batches" if batch else "") + (f", by the tier {tier}" if tier else "")
    one_in, one_out = (
        answer_cost_usd(model, usage, at, prices) * 1_000
        for usage in (Usage(1_000, 0, batch=batch, tier=tier), Usage(0, 1_000, batch=batch, tier=tier))
    )
    listed = "a conftest's prices" if added_price(model) else f"genai-prices, {at.date()}"
    source = "the suite's `prices`" if own else listed
    return f"{one_in.normalize():f}/{one_out.normalize():f} USD per million tokens in/out{how} ({source})"
