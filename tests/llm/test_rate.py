"""Limits as services state them in headers."""

from __future__ import annotations

import pytest

from pytest_modelcompare.llm.pace import Limit, limits_in, seconds_in

HEADERS = [
    (
        {"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49"},
        [Limit("requests", 50, 49, 50 / 60)],
    ),
    (
        {"anthropic-ratelimit-output-tokens-limit": "8000", "anthropic-ratelimit-output-tokens-remaining": "8000"},
        [Limit("output", 8_000, 8_000, 8_000 / 60)],
    ),
    (
        {
            "x-ratelimit-limit-requests": "5000",
            "x-ratelimit-remaining-requests": "4999",
            "x-ratelimit-reset-requests": "12ms",
        },
        [Limit("requests", 5_000, 4_999, 5_000 / 60)],
    ),
    (  # 200 a day: one comes back in 7 minutes 12 seconds
        {
            "x-ratelimit-limit-requests": "200",
            "x-ratelimit-remaining-requests": "199",
            "x-ratelimit-reset-requests": "7m12s",
        },
        [Limit("requests", 200, 199, 200 / 86_400)],
    ),
    ({"x-ratelimit-limit-tokens": "many", "x-ratelimit-remaining-tokens": "1"}, []),
    ({"retry-after": "3"}, []),
]


@pytest.mark.parametrize(("headers", "limits"), HEADERS)
def test_limits_are_read_from_headers(headers: dict[str, str], limits: list[Limit]):
    assert limits_in(headers) == limits


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12ms", 0.012), ("1s", 1), ("6m0s", 360), ("1h2m3.5s", 3_723.5), ("2d", 172_800), ("60", 60), ("", None)],
)
def test_durations(text: str, seconds: float | None):
    assert seconds_in(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("text", ["soon", "2026-01-01T00:00:00Z", "-3", "nan"])
def test_what_is_no_duration_is_none(text: str):
    assert seconds_in(text) is None
