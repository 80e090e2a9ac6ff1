"""What Anthropic's service says besides answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_modelcompare.llm.http_errors import limit_headers, retry_after, shown_words
from tests.llm.anthropic_server import KEY
from tests.llm.test_answering import a_dataset, by_number, world


def test_a_row_too_long_for_the_model_is_wrong_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    long = {"status": 400, "message": "prompt is too long: 210000 tokens > 200000 maximum"}
    with world(tmp_path, lambda text, _: long if text == "message 2" else by_number(text, 0)) as there:
        answered = there.ask(a_dataset(4))
        assert there.ask(a_dataset(4)).calls == 0
    assert answered.predictions.labels.tolist() == [0, 1, -1, 1]
    assert answered.predictions.failures == {"too long for the model": 1}
    assert answered.cost is not None
    assert answered.cost.usd_per_row[2] == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_service_asks_for(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers) == seconds


def test_of_a_responses_headers_only_the_limits_are_kept():
    headers = {"Anthropic-RateLimit-Requests-Limit": "50", "retry-after": "2", "set-cookie": "secret"}
    assert limit_headers(headers) == {"anthropic-ratelimit-requests-limit": "50", "retry-after": "2"}


def test_an_echoed_key_is_cut_out():
    assert shown_words("key sk-1 is wrong", "sk-1") == "key … is wrong"
    assert shown_words("no key", "") == "no key"
