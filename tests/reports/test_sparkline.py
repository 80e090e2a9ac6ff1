"""A gate's history in a few characters."""

from __future__ import annotations

from pytest_modelcompare.reports.sparkline import history_bars, history_lines, sparkline


def test_the_least_and_the_greatest_value_stand_at_the_ends():
    assert sparkline([0.0, 1.0, None, 0.7]) == "▁█·▆"  # .7 of 7 steps is 4.9


def test_equal_values_stand_in_the_middle():
    assert sparkline([1.0, 1.0]) == "▄▄"


def test_one_session_is_no_history():
    once = [{"value": 0.9, "outcome": "pass", "created": "2026-03-01T10:00:00"}]
    assert history_bars(once) == ""
    assert history_lines(once, beside=False) == []


def test_what_did_not_pass_is_counted():
    found = [
        {"value": 0.9, "outcome": outcome, "created": "2026-03-01T10:00:00"} for outcome in ("pass", "fail", "pass")
    ]
    assert history_lines(found, beside=True) == ["passed in 2 of 3 sessions since 2026-03-01"]
