"""How much a model reads, where the price table says so."""

from __future__ import annotations


def context_window(model: str) -> int | None:
    """Tokens that `provider:model` can read, answer included; None where it is not known."""
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition(":")
    try:
        found = calc_price(Usage(input_tokens=1, output_tokens=1), name, provider_id=provider)
    except LookupError:
        return None
    return found.model.context_window
