"""Golden prices of usage as the services send it, read through their SDKs' own types."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pytest_modelcompare.errors import GateError
from pytest_modelcompare.llm import anthropic_service, openai_service
from pytest_modelcompare.pricing.answers import answers_cost
from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd, price_note
from pytest_modelcompare.pricing.prices import Prices

HAIKU = "anthropic:claude-haiku-5-5"
AT = datetime(2026, 11, 1, tzinfo=UTC)


def of_anthropic(payload: dict[str, Any]) -> Usage:
    from anthropic.types import Usage as Billed

    return anthropic_service.usage_of(Billed.model_validate(payload))


def of_openai(payload: dict[str, Any], tier: str) -> Usage:
    from openai.types.completion_usage import CompletionUsage

    return openai_service.usage_of(CompletionUsage.model_validate(payload), tier)


CLASSES = {"service_tier": "standard", "inference_geo": "not_available", "server_tool_use": None}
WRITTEN = {"ephemeral_5m_input_tokens": 2_000, "ephemeral_1h_input_tokens": 1_000}

# USD per million: 0.10 in, 0.50 out, 0.01 read, 0.125 written for five minutes, 0.20 for an hour
ANTHROPIC: dict[str, Any] = {
    "plain": ({"input_tokens": 2_095, "output_tokens": 503, **CLASSES}, "0.000461"),
    "read from the cache": (  # 50 x .1 + 100,000 x .01 is above 100,000 tokens: five times as much
        {"input_tokens": 50, "cache_read_input_tokens": 100_000, "output_tokens": 10, **CLASSES},
        "0.00505",
    ),
    "all four classes": (  # 1,000 x .1 + 5,000 x .01 + 2,000 x .125 + 1,000 x .2 + 10 x .5
        {
            "input_tokens": 1_000,
            "cache_creation_input_tokens": 3_000,
            "cache_creation": WRITTEN,
            "cache_read_input_tokens": 5_000,
            "output_tokens": 10,
            **CLASSES,
        },
        "0.000605",
    ),
    "written, no word of how long": (
        {"input_tokens": 0, "cache_creation_input_tokens": 8_000, "cache_creation": None, "output_tokens": 0},
        "0.001",
    ),
    "thinking": (  # thinking is billed as output, and counted there already
        {"input_tokens": 100, "output_tokens": 1_000, "output_tokens_details": {"thinking_tokens": 960}, **CLASSES},
        "0.00051",
    ),
    "a batch": ({"input_tokens": 2_000, "output_tokens": 1_000, "service_tier": "batch"}, "0.00035"),
    "a batch that reads the cache": (  # half of 5,000 x .01 + 1,000 x .1
        {"input_tokens": 1_000, "cache_read_input_tokens": 5_000, "output_tokens": 0, "service_tier": "batch"},
        "0.000075",
    ),
    "a long batch": ({"input_tokens": 200_000, "output_tokens": 1_000, "service_tier": "batch"}, "0.05125"),
    "cut short before a word": ({"input_tokens": 300, "output_tokens": 0, **CLASSES}, "0.00003"),
}


@pytest.mark.parametrize(("payload", "usd"), ANTHROPIC.values(), ids=ANTHROPIC)
def test_what_anthropic_bills(payload: dict[str, Any], usd: str):
    assert answer_cost_usd(HAIKU, of_anthropic(payload), AT) == Decimal(usd)


def test_thinking_is_told_apart_and_never_counted_twice():
    usage = of_anthropic(ANTHROPIC["thinking"][0])
    assert (usage.output_tokens, usage.thinking_tokens, usage.total) == (1_000, 960, 1_100)


PROMPT = {"prompt_tokens": 2_000, "completion_tokens": 100, "total_tokens": 2_100}

# gpt-5: USD per million 1.25 in, 10 out, 0.125 read; flex half, priority twice
OPENAI = {
    "plain": (PROMPT, "default", "0.0035"),
    "cached": ({**PROMPT, "prompt_tokens_details": {"cached_tokens": 1_024}}, "default", "0.002348"),
    "thinking": ({**PROMPT, "completion_tokens_details": {"reasoning_tokens": 64}}, "auto", "0.0035"),
    "flex": (PROMPT, "flex", "0.00175"),
    "priority": (PROMPT, "priority", "0.007"),
}


@pytest.mark.parametrize(("payload", "tier", "usd"), OPENAI.values(), ids=OPENAI)
def test_what_openai_bills(payload: dict[str, Any], tier: str, usd: str):
    assert answer_cost_usd("openai:gpt-5", of_openai(payload, tier), AT) == Decimal(usd)


@pytest.mark.parametrize("usage", [Usage(1, 1, batch=True), Usage(1, 1, tier="flex")])
def test_a_discount_that_the_table_does_not_know_is_an_error_and_no_full_price(usage: Usage):
    with pytest.raises(GateError, match=r"no price is known for anthropic:claude-3-opus-20240229 with (batch|flex)"):
        answer_cost_usd("anthropic:claude-3-opus-20240229", usage, AT)


def test_the_price_is_that_of_the_day():
    # the discount for batches stands in the table from 2026-10-14
    assert answer_cost_usd(HAIKU, Usage(1_000_00, 0, batch=True), AT) == Decimal("0.005")
    with pytest.raises(GateError, match="with batch processing"):
        answer_cost_usd(HAIKU, Usage(1_000_00, 0, batch=True), datetime(2026, 10, 1, tzinfo=UTC))


def test_a_batch_costs_the_share_of_the_suites_price_that_the_suite_says():
    half = {HAIKU: Prices(Decimal(1), Decimal(2))}
    whole = {HAIKU: Prices(Decimal(1), Decimal(2), batch=Decimal(1))}
    usage = Usage(1_000_000, 1_000_000, batch=True)
    assert answer_cost_usd(HAIKU, usage, AT, half) == Decimal("1.5")
    assert answer_cost_usd(HAIKU, usage, AT, whole) == 3


def test_answers_in_batches_are_priced_and_noted_as_such():
    cost = answers_cost([Usage(1_000, 0, batch=True)] * 2, [AT] * 2, HAIKU)
    assert cost.usd_per_row.sum() == pytest.approx(0.0001)
    assert cost.assumptions == price_note(HAIKU, AT, batch=True)
    assert cost.assumptions.startswith("0.05/0.25 USD per million tokens in/out, in batches")
