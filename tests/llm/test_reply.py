"""What label is in an answer, and what is no answer."""

from __future__ import annotations

import pytest

from pytest_modelcompare.llm.reply import Reply, read_reply
from pytest_modelcompare.pricing.price_list import Usage
from pytest_modelcompare.records import NO_ANSWER

NUMBERS = {"ham": 0, "spam": 1, "[x]": 2, " Late ": 3}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('{"label": "spam"}', 1),
        (" spam.\n", 1),
        ('"Spam"', 1),
        ('```json\n{"label": "spam"}\n```', 1),
        ("```\nspam\n```", 1),
        ("[x]", 2),
        ("late", 3),
    ],
)
def test_the_label_is_read_as_models_write_it(text: str, label: int):
    read = read_reply(Reply(text, "end_turn", Usage(1, 1), 1.0, "2026-01-01", "s"), NUMBERS)
    assert (read.label, read.failure) == (label, None)


@pytest.mark.parametrize(
    ("text", "stop", "kind"),
    [
        ("", "end_turn", "not readable"),
        ('{"label": ["spam"]}', "end_turn", "not readable"),
        ('{"label": null}', "end_turn", "not readable"),
        ('{"label": "spam"', "end_turn", "not readable"),
        ('{"a":' * 5_000, "end_turn", "not readable"),
        ("spam or ham", "end_turn", "ambiguous"),
        ('{"label": "eggs"}', "end_turn", "outside the labels"),
        ('{"label": "spam"}', "refusal", "refused"),
        ('{"label": "spam"}', "max_tokens", "cut short"),
        ('{"label": "spam"}', "content_filter", "stopped by the content filter"),
        ("", "model_context_window_exceeded", "too long for the model"),
    ],
)
def test_what_is_no_answer_has_a_kind(text: str, stop: str, kind: str):
    read = read_reply(Reply(text, stop, Usage(1, 1), 1.0, "2026-01-01", "s"), NUMBERS)
    assert (read.label, read.failure) == (NO_ANSWER, kind)
