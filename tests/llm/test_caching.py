"""Prompt caching: what is marked, in which order it is asked, and what it saves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pytest_modelcompare.llm.anthropic_service import body
from pytest_modelcompare.llm.caching import marked, minimum_tokens, saved_usd, saving_note, shared_prefixes
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.pricing.prices import Prices
from tests.llm.anthropic_server import refusal_of, serving
from tests.llm.small_world import MODEL, asker_at, some_requests

LONG = "Instructions. " * 200
"""2,800 characters: 1,000 tokens by our estimate."""

AT = datetime(2026, 11, 1, tzinfo=UTC)


def with_shots(requests: list[Request], shots: int) -> list[Request]:
    shown = tuple(turn for shot in range(shots) for turn in (("user", f"text {shot} " * 50), ("assistant", "ham")))
    return [replace(request, messages=(*shown, *request.messages)) for request in requests]


def silent(_: int) -> None:
    pass


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-haiku-4-5-20251001", 4_096),
        ("claude-haiku-5-5", 512),
        ("claude-opus-4-1", 1_024),
        ("claude-opus-4-6", 4_096),
        ("claude-opus-5-5", 512),
        ("claude-sonnet-5", 1_024),
        ("claude-sonnet-5-5", 512),
        ("claude-next-9", 4_096),
    ],
)
def test_the_smallest_prefix_that_is_cached(model: str, tokens: int):
    assert minimum_tokens("anthropic", model) == tokens
    assert minimum_tokens("openai", model) is None


def test_a_prefix_is_marked_where_it_reaches_the_minimum_and_enough_share_it():
    assert shared_prefixes(some_requests(10)) == []  # too short
    assert shared_prefixes(some_requests(2, system=LONG)) == []  # too few
    assert shared_prefixes(some_requests(10, system=LONG, model="claude-haiku-4-5")) == []
    assert shared_prefixes(some_requests(10, system=LONG[:1_200]), 1.0) == []
    assert len(shared_prefixes(some_requests(10, system=LONG[:1_200]))) == 1  # it may be more than we think
    [prefix] = shared_prefixes(some_requests(10, system=LONG))
    assert (prefix.turns, prefix.requests) == (0, tuple(range(10)))
    # 2,800 characters and the schema of two labels, 2.8 to a token
    assert 1_000 < prefix.tokens < 1_100


def test_shots_that_all_rows_share_are_in_the_prefix_and_a_row_with_others_shares_the_system_text_alone():
    same = with_shots(some_requests(6, system=LONG), 4)
    other = [with_shots([request], 3)[0] for request in some_requests(4, system=LONG)]
    first, second = shared_prefixes([*same, *other[:1]]), shared_prefixes([*same, *other])
    assert [(prefix.turns, len(prefix.requests)) for prefix in first] == [(8, 6)]
    assert [(prefix.turns, len(prefix.requests)) for prefix in second] == [(8, 6), (6, 4)]


def test_rows_with_shots_of_their_own_share_the_system_text():
    nearest = [with_shots([request], row + 1)[0] for row, request in enumerate(some_requests(5, system=LONG))]
    [prefix] = shared_prefixes(nearest)
    assert (prefix.turns, len(prefix.requests)) == (0, 5)


def test_a_mark_changes_no_key_and_stands_at_the_end_of_the_prefix():
    plain = with_shots(some_requests(5, system=LONG), 2)
    found = marked(plain, shared_prefixes(plain))
    assert [request.key() for request in found] == [request.key() for request in plain]
    sent = body(found[0])
    assert refusal_of(sent) is None
    marks = [isinstance(turn["content"], list) for turn in sent["messages"]]
    assert marks == [False, False, False, True, False]
    assert sent["messages"][3]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert sent["system"] == LONG


def test_one_request_warms_the_cache_up_and_all_others_read_from_it():
    with serving(lambda *_: {"wait": 0.05, "text": '{"label": "ham"}'}) as server:
        asker = asker_at(server)
        replies = asker.ask(some_requests(40, system=LONG), silent)
        written = [reply.usage.cache_write_tokens > 0 for reply in replies]
        assert written == [True] + [False] * 39
        assert all(reply.usage.cache_read_tokens > 0 for reply in replies[1:])
        assert asker.purse.spent_usd == pytest.approx(server.bill_usd(MODEL), rel=1e-9)


def test_the_worst_price_of_a_marked_request_is_that_of_writing_it():
    # a write costs 1.25 times the plain price
    plain = some_requests(1, system=LONG)[0]
    with serving(lambda *_: "ham") as server:
        asker = asker_at(server)
        answer = 20 * 0.5e-6
        cost, most = asker.purse.worst_price(plain), asker.purse.worst_price(replace(plain, cached_turns=0))
    assert most - answer == pytest.approx(1.25 * (cost - answer))


def test_the_saving_is_what_plain_tokens_would_have_cost_less_what_was_paid():
    # 0.10, 0.125 and 0.01 USD per million: 10,000 written cost 0.00025 more, 90,000 read cost 0.0081 less
    usages = [Usage(100, 10, 0, 10_000), *[Usage(100, 10, 10_000)] * 9]
    saved, paid = saved_usd(MODEL, [(usage, AT) for usage in usages], None)
    assert saved == pytest.approx(9 * 0.0009 - 0.00025)
    assert paid == pytest.approx(0.00125 + 9 * 0.0001 + 10 * (100 * 0.1e-6 + 10 * 0.5e-6))
    assert saving_note(usages, saved, paid).startswith("prompt caching: 89% of the input tokens were read")


def test_prices_of_the_suite_without_a_price_for_the_cache_show_no_saving():
    own = {MODEL: Prices(Decimal(1), Decimal(1))}
    assert saved_usd(MODEL, [(Usage(0, 0, 1_000), AT)], own)[0] == 0
