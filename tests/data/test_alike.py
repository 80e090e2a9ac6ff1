"""Labels that are one, spelled in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelcompare.data.alike import FORMS, alike_among, alike_pairs, format_pairs, plainest_spelling


@pytest.mark.parametrize(
    ("one", "other", "by"),
    [
        ("Sports", "sports", ("case",)),
        (" World ", "World", ("spaces",)),
        ("Sci  Tech", "sci tech", ("spaces", "case")),
        ("zero\u200bwidth", "zerowidth", ("spaces",)),
        ("no\u00a0break", "no break", ("Unicode form",)),
        ("cafe\u0301", "caf\u00e9", ("Unicode form",)),
        ("\uff21", "a", ("Unicode form", "case")),
        ("1.0", "1", ("how a number is written",)),
        (" -3.00", "-3", ("spaces", "how a number is written")),
        ("STRASSE", "straße", ("case",)),
    ],
)
def test_what_two_spellings_differ_by_is_named(one: str, other: str, by: tuple[str, ...]):
    (pair,) = alike_pairs([one, "else"], [other, "third"])
    assert (pair.one, pair.other, pair.by) == (one, other, by)
    assert alike_among([other, "third", one])[0].by == by


@pytest.mark.parametrize(
    ("one", "other"), [("1.5", "1"), ("card", "cards"), ("10", "1"), ("a b", "ab"), ("1.0.0", "1")]
)
def test_other_labels_are_others(one: str, other: str):
    assert alike_pairs([one], [other]) == []


def test_a_known_label_is_no_other_spelling_though_there_is_one():
    assert alike_pairs(["a", "A"], ["A", "a"]) == []


def test_what_cannot_be_seen_is_spelled_out():
    assert format_pairs(alike_pairs(["a\u200b"], ["a"])) == "`a\\u200b` and `a` (spaces)"


@given(st.text(max_size=6), st.text(max_size=6))
def test_a_pair_has_a_reason(one: str, other: str):
    for pair in alike_pairs([one], [other]):
        assert pair.by
        assert set(pair.by) <= set(FORMS)
        assert plainest_spelling(one) == plainest_spelling(other)
