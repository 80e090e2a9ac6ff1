"""One request to an LLM, whole, with the key that its answer is stored under."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from math import ceil
from typing import Any, Protocol

from pytest_modelcompare.llm.wording import Form, answer_schema, probabilities_schema

CHARACTERS_PER_TOKEN = 2.8
"""A cautious estimate for the plan: English runs at 3 to 4."""

OVERHEAD_TOKENS = 40
MOST_ADDED_TOKENS = 500


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole: equal requests have equal keys."""

    provider: str
    model: str
    system: str
    messages: tuple[tuple[str, str], ...]
    """(role, text) in order."""

    menu: tuple[str, ...] | None
    """The labels that the answer is restricted to; None: free text."""

    max_output_tokens: int
    effort: str | None = None
    base_url: str | None = None
    """An address that the suite itself names."""

    sample: int = 0
    form: Form = "label"
    service_tier: str | None = None
    """By which of its tiers the service is to serve it; None: by its plain one."""

    cached_turns: int | None = None
    """After so many messages the service is told to cache what came so far, the system text included; None: it is
    told nothing. How a request is sent, not what is asked: no part of the key."""

    elsewhere: str | None = None
    """An address that the environment names, such as a gateway's. Where it is asked, not what: no part of the key.
    Answers of former versions stand under a key with it."""

    def key(self) -> str:
        """sha256 hex over everything that was asked."""
        asked = {name: getattr(self, name) for name in FIELDS}
        if self.form == "label":  # as it was when there was no other form: older answers are found
            del asked["form"]
        if self.service_tier in (None, "default"):  # likewise
            del asked["service_tier"]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def possible_keys(self) -> tuple[str, ...]:
        """Under which an answer may stand: the key, then that of former versions, where it is another."""
        if self.elsewhere is None or self.base_url is not None:
            return (self.key(),)
        return self.key(), replace(self, base_url=self.elsewhere).key()

    def input_tokens_estimate(self) -> int:
        """By characters, cautiously; no tokenizer of the service is at hand."""
        return ceil(len(self.whole_text()) / CHARACTERS_PER_TOKEN) + OVERHEAD_TOKENS

    def most_input_tokens(self) -> int:
        """A bound: no tokenizer makes more tokens than bytes, beside what a service adds of its own."""
        return len(self.whole_text().encode("utf-8", "replace")) + MOST_ADDED_TOKENS

    def whole_text(self) -> str:
        schema = json.dumps(self.schema()) if self.menu else ""
        return self.system + schema + "".join(text for _, text in self.messages)

    def schema(self) -> dict[str, Any] | None:
        """What the answer is restricted to, as a JSON schema; None: free text."""
        if self.menu is None:
            return None
        return answer_schema(self.menu) if self.form == "label" else probabilities_schema(self.menu)


FIELDS = tuple(field.name for field in fields(Request) if field.name not in ("cached_turns", "elsewhere"))


class Memory(Protocol):
    """What was stored, by key."""

    def get(self, key: str) -> dict[str, Any] | None: ...


def first_record(memory: Memory, keys: Iterable[str]) -> dict[str, Any] | None:
    """What stands under the first of the keys that has anything."""
    return next((record for key in keys if (record := memory.get(key)) is not None), None)
