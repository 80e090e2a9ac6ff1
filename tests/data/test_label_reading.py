"""Which label an answer in words names, and which answers name none."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pytest_modelcompare.data.label_reading import bare_spelling, read_label
from pytest_modelcompare.records import NO_ANSWER

LABELS = ("refund", "pin", "card", "card payment", "no")
NUMBERS = {label: number for number, label in enumerate(LABELS)}
REFUND = 0

READ = {
    "refund": "as asked",
    '{"label": "refund"}': "as asked",
    "REFUND": "undressed",
    '"refund"': "undressed",
    "**refund**": "undressed",
    "_refund_": "undressed",
    "`refund`.": "undressed",
    "```\nrefund\n```": "undressed",
    " refund. \n": "undressed",
    "<think>maybe pin? no</think>refund": "as asked",
    "it could be pin, not sure</think>\n\nrefund": "as asked",
    "<thinking>\npin\n</thinking>\n**Refund**": "undressed",
    '```json\n{"label": "refund"}\n```': "in JSON",
    '{"category": "refund"}': "in JSON",
    '{"category": "refund", "confidence": "high", "score": 0.9}': "in JSON",
    '{"label": "Refund", "reason": "they want money, not a pin"}': "in JSON",
    'Here is the answer: {"label": "refund"}': "in JSON",
    "Label: refund": "after a prefix",
    "**Label:** refund": "after a prefix",
    "The label is refund.": "after a prefix",
    'The most likely category is "refund".': "after a prefix",
    "Answer: **Refund**.": "after a prefix",
    "refund\n\nThe customer asks for the money back.": "first line",
    "**refund**\nBecause they want the money back.": "first line",
    "Label: refund\n\nThey want their money back.": "first line",
    "This text is about a refund.": "in a sentence",
    "I would classify this as Refund.": "in a sentence",
    "refund is the best fit": "in a sentence",
}

UNREAD = [
    "",
    "refund or pin",
    "refund, pin",
    "refund\npin",
    "refund\n\npin",
    "refund\n\nIt could also be pin.",
    "refund\n\nOn second thought it is not refund.",
    "The label is not refund.",
    "It isn't refund.",
    "This is anything but pin or refund.",
    "refund rather than pin",
    "Is it refund?",
    "It is refund. It is about money.",
    "<think>refund",
    "<think>maybe pin</think>",
    '```json\n{"label": "refund"',
    "```\nrefund",
    '{"label": "refund"',
    '{"label": ["refund"]}',
    '{"label": null}',
    '{"label": "eggs", "other": "refund"}',
    '{"a": "refund", "b": "pin"}',
    '{"label": "refund"} {"label": "pin"}',
    '{"label": "refund"} although pin fits too',
    "refunds",
    "refundable",
    "I cannot say whether this is a refund.",
    "eggs",
    '{"a":' * 5_000,
    "There is no way to tell.",
    "no refund",
]


@pytest.mark.parametrize(("text", "how"), READ.items())
def test_an_answer_whose_label_is_clear_is_read(text: str, how: str):
    read = read_label(text, NUMBERS)
    assert (read.label, read.how, read.failure) == (REFUND, how, None)


@pytest.mark.parametrize("text", UNREAD)
def test_an_answer_that_names_two_labels_denies_one_or_is_cut_is_not_read(text: str):
    read = read_label(text, NUMBERS)
    assert (read.label, read.how) == (NO_ANSWER, None)
    assert read.failure


@pytest.mark.parametrize("text", ["card payment", "Card_Payment", "card-payment.", "It is about a card payment."])
def test_of_labels_that_begin_one_another_the_longest_is_named(text: str):
    assert read_label(text, NUMBERS).label == NUMBERS["card payment"]
    assert read_label("It is about a card.", NUMBERS).label == NUMBERS["card"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("no", "no"),
        ("No.", "no"),
        ("Answer: no", "no"),
        ('I would say "no" here', "no"),
        ("I have no idea", None),
        ("It is of no use", None),
    ],
)
def test_an_everyday_word_is_a_label_only_where_it_is_called_one(text: str, label: str | None):
    assert read_label(text, NUMBERS).label == (NO_ANSWER if label is None else NUMBERS[label])


def test_numbers_are_labels_of_their_own():
    stars = {str(number): number for number in range(12)}
    assert read_label("11", stars).label == 11
    assert read_label("Rating: 11", stars).label == NO_ANSWER  # not called a label, and a number
    assert read_label("Label: 1", stars).label == 1
    assert read_label("4 out of 5", stars).label == NO_ANSWER


def test_labels_that_differ_only_in_their_dress_are_read_as_they_are_spelled():
    alike = {"US": 0, "us": 1, "card_payment": 2, "card payment": 3}
    assert [read_label(label, alike).label for label in alike] == [0, 1, 2, 3]
    assert read_label("Us", alike).label == NO_ANSWER
    assert read_label("**us**", alike).label == 1
    assert read_label("The text is about us", alike).label == NO_ANSWER


def test_unicode_forms_of_a_label_are_one():
    assert read_label("CAFE\u0301", {"café": 0, "tea": 1}).label == 0
    assert read_label("Straße!", {"strasse": 0, "platz": 1}).label == 0


DRESSES = (
    "{}", "**{}**", '"{}"', "`{}`", "```\n{}\n```", "<think>x</think>{}", '{{"label": {json}}}', '{{"answer": {json}}}',
    "Label: {}", "{}\n\nsome words", "  {}\n",
)  # fmt: skip
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


@given(st.lists(NAMES, min_size=2, max_size=6, unique_by=bare_spelling), st.sampled_from(DRESSES), st.data())
@example(["a", "b"], "{}\n\nsome words", None)
def test_any_label_in_any_dress_is_itself(labels: list[str], dress: str, data: st.DataObject | None):
    assume(all(not set(bare_spelling(one).split()) & {"some", "words", "x"} for one in labels))
    label = labels[0] if data is None else data.draw(st.sampled_from(labels))
    text = dress.format(label, json=json.dumps(label))
    read = read_label(text, {one: number for number, one in enumerate(labels)})
    assert read.label == labels.index(label), read


@given(
    st.lists(NAMES, min_size=2, max_size=5, unique_by=bare_spelling),
    st.sampled_from([" or ", "\n", "\n\n", "; ", " and "]),
)
def test_two_labels_are_never_read_as_one(labels: list[str], between: str):
    first, second = labels[:2]
    assume(bare_spelling(first + between + second) not in map(bare_spelling, labels))
    numbers = {one: number for number, one in enumerate(labels)}
    # one may hold the other: then the longest is named, and naming it twice is naming it
    assume(not any(bare_spelling(a) in bare_spelling(b) for a in labels for b in labels if a != b))
    assert read_label(first + between + second, numbers).label == NO_ANSWER


@given(st.text(max_size=200))
def test_whatever_is_said_ends_in_a_reading(text: str):
    read = read_label(text, NUMBERS)
    assert (read.label == NO_ANSWER) == (read.how is None) == (read.failure is not None)
