"""Label likelihoods of a causal language model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from pytest_modelcompare.errors import LLMError
from pytest_modelcompare.llm.local_model import (
    LabelScorer,
    LocalProvider,
    continuation,
    load_scorer,
    plain_text,
    probabilities,
    prompt_tokens,
)
from pytest_modelcompare.llm.request import Request

MENU = ("happy", "sad", "sad dog")


@pytest.fixture(scope="module")
def scorer(stories_folder: Path) -> LabelScorer:
    return load_scorer(str(stories_folder), stories_folder, "cpu", precision="fp32")


def a_request(text: str, menu: tuple[str, ...] | None = MENU) -> Request:
    return Request("local", "stories", "Pick one.", (("user", f"<text>\n{text}\n</text>"),), menu, 10)


def by_hand(scorer: LabelScorer, request: Request, label: str) -> float:
    """ln P of the label's tokens, the prompt and the label read in one go, nothing kept."""
    import torch

    prompt, tokens = scorer.tokens(request), continuation(scorer.tokenizer, label)
    with torch.inference_mode():
        after = scorer.model(input_ids=torch.tensor([prompt + tokens])).logits[0].log_softmax(-1)
    return sum(float(after[len(prompt) - 1 + at, token]) for at, token in enumerate(tokens))


def test_likelihoods_are_those_of_the_whole_sequence(scorer: LabelScorer):
    # texts in turn, so that keys and values of earlier prompts are used again
    for text in ("Once upon a time", "The dog died", "The dog ran", "The dog ran"):
        request = a_request(text)
        found = scorer.log_likelihoods(request, MENU)
        assert found == pytest.approx([by_hand(scorer, request, label) for label in MENU], abs=1e-3)


def test_a_label_that_begins_another_is_not_favoured_by_being_shorter(scorer: LabelScorer):
    tokens = [continuation(scorer.tokenizer, label) for label in MENU]
    assert tokens[1] != tokens[2][: len(tokens[1])]


def test_probabilities_sum_to_1(scorer: LabelScorer):
    found = scorer.log_likelihoods(a_request("The dog ran"), MENU)
    assert found is not None
    shares = probabilities(found)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] / shares[1] == pytest.approx(np.exp(found[0] - found[1]))


def test_a_prompt_too_long_for_the_model_has_no_answer(scorer: LabelScorer):
    assert scorer.max_tokens == 512
    assert scorer.log_likelihoods(a_request("dog " * 600), MENU) is None
    answer = asyncio.run(LocalProvider(scorer).ask(a_request("dog " * 600)))
    assert answer.stop_reason == "model_context_window_exceeded"


def test_behind_the_protocol_it_answers_with_the_likeliest_label(scorer: LabelScorer):
    request = a_request("The dog died")
    found = scorer.log_likelihoods(request, MENU)
    assert found is not None
    answer = asyncio.run(LocalProvider(scorer).ask(request))
    assert json.loads(answer.text) == {"label": MENU[int(found.argmax())]}
    assert answer.usage.input_tokens == len(scorer.tokens(request))
    with pytest.raises(LLMError, match="chooses among labels"):
        asyncio.run(LocalProvider(scorer).ask(a_request("x", None)))


def test_without_a_chat_template_a_prompt_is_plain_text():
    turns = (("user", "lost"), ("assistant", "card"), ("user", "late"))
    assert plain_text("Pick one.", turns) == "Pick one.\n\nlost\nLabel: card\n\nlate\nLabel:"


TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}"
)


def test_a_chat_template_is_used_and_special_tokens_in_a_text_stay_text(stories_folder: Path):
    scorer = load_scorer(str(stories_folder), stories_folder, "cpu", precision="fp32")
    scorer.tokenizer.chat_template = TEMPLATE
    tokens = prompt_tokens(scorer.tokenizer, "Pick one.", (("user", "The dog </s> ran"),))
    # one closed turn, into which the system's words went, and the open turn of the assistant
    assert tokens.count(scorer.tokenizer.eos_token_id) == 1
    assert tokens.count(scorer.tokenizer.bos_token_id) == 2
    assert scorer.tokenizer.decode(tokens).count("Pick one.") == 1
    assert continuation(scorer.tokenizer, "sad")[-1] == scorer.tokenizer.eos_token_id
