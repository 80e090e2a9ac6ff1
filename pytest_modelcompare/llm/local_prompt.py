"""A request as the tokens of a local model: by its chat template, else as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LEAD = "Label:"
END = "\n"


def prompt_tokens(tokenizer: Any, system: str, messages: Sequence[tuple[str, str]]) -> list[int]:
    """Everything up to where the label begins.

    What looks like a special token in a text stays text.
    """
    if tokenizer.chat_template is None:
        return encoded(tokenizer, plain_text(system, messages), special=True)
    from jinja2 import TemplateError

    turns = [{"role": role, "content": harmless(tokenizer, text)} for role, text in messages]
    try:
        return templated(tokenizer, [{"role": "system", "content": system}, *turns])
    except TemplateError:  # some templates know no system role
        first = {"role": "user", "content": f"{system}\n\n{turns[0]['content']}"}
        return templated(tokenizer, [first, *turns[1:]])


def templated(tokenizer: Any, turns: list[dict[str, str]]) -> list[int]:
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]


def plain_text(system: str, messages: Sequence[tuple[str, str]]) -> str:
    """Task and menu, then each text with its label behind `Label:`; the last one's is missing."""
    parts = [system]
    for role, text in messages:
        if role == "user":
            parts.append(f"{text}\n{LEAD}")
        else:
            parts[-1] += f" {text}"
    return "\n\n".join(parts)


def continuation(tokenizer: Any, label: str) -> list[int]:
    """A label and its end as they follow on a prompt."""
    if tokenizer.chat_template is not None:
        return [*encoded(tokenizer, label), tokenizer.eos_token_id]
    # the tokens behind `Label:` depend on what they follow
    lead = encoded(tokenizer, LEAD)
    return encoded(tokenizer, f"{LEAD} {label}{END}")[len(lead) :]


def encoded(tokenizer: Any, text: str, *, special: bool = False) -> list[int]:
    """Tokens of a text; `special` puts the model's own beginning before it, and never an end behind it."""
    tokens = [int(token) for token in tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]]
    begins = special and tokenizer.bos_token_id is not None
    return [tokenizer.bos_token_id, *tokens] if begins else tokens


def harmless(tokenizer: Any, text: str) -> str:
    """A text in which no special token is recognised."""
    for token in tokenizer.all_special_tokens:
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text
