"""Sentences become claims, and what is no claim is an error at its column."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelcompare.gates.claims import (
    Arithmetic,
    Beats,
    Comparison,
    DoesNotRegress,
    Matches,
    Measure,
    Metric,
    Number,
)
from pytest_modelcompare.gates.language import parse
from pytest_modelcompare.gates.tokens import GateSyntaxError

ACCURACY = Measure("accuracy")


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        ("a.accuracy >= 0.90", Comparison(Metric("a", "accuracy"), ">=", Number(0.9))),
        ("a beats b on accuracy", Beats("a", "b", ACCURACY)),
        ("a beats b on f1[spam] by 2e-2", Beats("a", "b", Measure("f1", "spam"), 0.02)),
        ("a matches b on auroc within .01", Matches("a", "b", Measure("auroc"), 0.01)),
        (
            "a beats b on latency_p95_ms(cpu, 128) by 2",
            Beats("a", "b", Measure("latency_p95_ms", argument="cpu, 128"), 2),
        ),
        ("a does not regress on f1", DoesNotRegress("a", Measure("f1"))),
        ("a does not regress on f1 within 0.01", DoesNotRegress("a", Measure("f1"), 0.01)),
        ('a.f1["my \\"own\\" label"] < 1', Comparison(Metric("a", "f1", 'my "own" label'), "<", Number(1))),
        ("a.break_even(b) <= 1000", Comparison(Metric("a", "break_even", argument="b"), "<=", Number(1000))),
        (
            "bert[learning_rate=1e-05].accuracy > .5",
            Comparison(Metric("bert[learning_rate=1e-05]", "accuracy"), ">", Number(0.5)),
        ),
        (
            "a.cost_per_1k <= b.cost_per_1k / 10",
            Comparison(Metric("a", "cost_per_1k"), "<=", Arithmetic("/", Metric("b", "cost_per_1k"), Number(10))),
        ),
        (
            "a.accuracy - b.accuracy * 2 > -0.1",
            Comparison(
                Arithmetic("-", Metric("a", "accuracy"), Arithmetic("*", Metric("b", "accuracy"), Number(2))),
                ">",
                Number(-0.1),
            ),
        ),
    ],
)
def test_a_sentence_is_read(sentence: str, claim: object):
    assert parse(sentence) == claim


@pytest.mark.parametrize(
    ("sentence", "column", "words"),
    [
        ("a.accuracy >= 90%", 15, "percentages"),
        ("a.accuracy == 0.9", 12, "no claim that a sample can decide"),
        ("a.accuracy", 10, "expected <, <=, > or >="),
        ("a beats b", 9, "expected `on`"),
        ("a matches b on f1", 17, "`matches` needs its margin"),
        ("a.accuracy >= 0.9 and b.f1 > 0", 19, "joins two"),
        ("0 < a.accuracy < 1", 16, "a gate compares once"),
        ("__import__('os').system('x') > 0", 1, "gates call no functions"),
        ("a.accuracy >= 0.9; import os", 18, "unexpected `;`"),
        ("accuracy >= 0.9", 1, "alone is no figure"),
        ("", 1, "expected a metric or a number"),
        ("a.f1[my label] > 0", 9, "expected `]`"),
    ],
)
def test_what_is_no_claim_is_an_error_at_its_column(sentence: str, column: int, words: str):
    with pytest.raises(GateSyntaxError, match=words.replace("[", "\\[").replace("<", "<")) as caught:
        parse(sentence)
    assert caught.value.column == column


@given(st.text(max_size=80))
def test_any_text_is_a_claim_or_an_error_inside_it(text: str):
    with suppress(GateSyntaxError):
        parse(text)
        return
    with pytest.raises(GateSyntaxError) as caught:
        parse(text)
    assert 1 <= caught.value.column <= max(len(text), 1)


NAMES = st.sampled_from(["a", "minilm", "gpt4", "bert[learning_rate=1e-05]"])
LABELS = st.none() | st.text(min_size=1, max_size=12)
NUMBERS = st.floats(0, 1e6, allow_nan=False)
MEASURES = st.builds(Measure, st.sampled_from(["accuracy", "f1"]), LABELS)
METRICS = st.builds(Metric, NAMES, st.sampled_from(["accuracy", "f1", "cost_per_1k"]), LABELS)
EXPRESSIONS = st.recursive(
    METRICS | st.builds(Number, NUMBERS),
    lambda inner: st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
    max_leaves=6,
)
CLAIMS = (
    st.builds(Comparison, EXPRESSIONS, st.sampled_from(["<", "<=", ">", ">="]), EXPRESSIONS)
    | st.builds(Beats, NAMES, NAMES, MEASURES, NUMBERS)
    | st.builds(Matches, NAMES, NAMES, MEASURES, NUMBERS)
    | st.builds(DoesNotRegress, NAMES, MEASURES, st.none() | NUMBERS)
)


@given(CLAIMS)
def test_a_claim_in_words_reads_back_as_itself(claim: object):
    assert parse(str(claim)) == claim


def test_a_thousand_signs_are_an_error_with_a_column():
    with pytest.raises(GateSyntaxError, match="too deeply nested"):
        parse("a.accuracy >= " + "-" * 1000 + "1")


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("words beets gpt on accuracy", "`beets` is no verb of a gate", "did you mean `beats`?"),
        ("words Beats gpt on accuracy", "`Beats` is no verb of a gate", "did you mean `beats`?"),
        ("words match gpt on accuracy within 0.1", "`match` is no verb of a gate", "did you mean `matches`?"),
        ("words outperforms gpt on accuracy", "`outperforms` is no verb of a gate", "a gate is"),
        ("words does nt regress on f1", "expected `not`, found `nt`", "did you mean `not`?"),
        ("words does not regres on f1", "expected `regress`, found `regres`", "did you mean `regress`?"),
        ("words beats gpt onn accuracy", "expected `on`, found `onn`", "did you mean `on`?"),
        ("words beats gpt on accuracy buy 0.1", "unexpected `buy` after the claim", "did you mean `by`?"),
        ("words beats gpt on accuracy within 0.1", "unexpected `within` after the claim", "here the margin is `by X`"),
        ("words matches gpt on accuracy withn 0.1", "`matches` needs its margin", "did you mean `within`?"),
        ("words does not regress on f1 by 0.1", "unexpected `by` after the claim", "here the margin is `within X`"),
        ("words accuracy >= 0.9", "`words accuracy` is no figure", "write `words.accuracy`"),
    ],
)
def test_a_word_that_was_misspelt_is_named_with_the_nearest(text: str, said: str, hint: str):
    with pytest.raises(GateSyntaxError) as caught:
        parse(text)
    assert caught.value.what == said
    assert hint in (caught.value.fix or "")
