"""A request as Anthropic's SDK takes it, and what it gives back as our records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_modelcompare.llm.http_errors import checked, uncounted
from pytest_modelcompare.llm.provider import Answer
from pytest_modelcompare.llm.request import Request
from pytest_modelcompare.pricing.price_list import Usage

if TYPE_CHECKING:
    from anthropic.types import Message
    from anthropic.types import Usage as BilledUsage

PROTOCOL = "Anthropic's Messages API"
TRY_AGAIN = (408, 409, 429)
"""Statuses below 500 that pass."""


def body(request: Request) -> dict[str, Any]:
    """The request as the SDK takes it. There is no temperature: the API has none."""
    config: dict[str, Any] = {}
    if request.menu:
        config["format"] = {"type": "json_schema", "schema": request.schema()}
    if request.effort:
        config["effort"] = request.effort
    last = request.cached_turns
    return {
        "model": request.model,
        "max_tokens": request.max_output_tokens,
        "system": content(request.system, cached=last == 0),
        "messages": [
            {"role": role, "content": content(text, cached=turn == last)}
            for turn, (role, text) in enumerate(request.messages, 1)
        ],
        **({"output_config": config} if config else {}),
    }


def counted(request: Request) -> dict[str, Any]:
    """The request as its tokens are counted."""
    asked = body(request)
    del asked["max_tokens"]
    return asked


def content(text: str, *, cached: bool) -> Any:
    """A text; as a block with a mark where the cache is to hold everything up to here."""
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}] if cached else text


def answer_of(message: Message, headers: dict[str, str], model: str) -> Answer:
    """Text, stop reason and tokens by class.

    Raises:
        Uncounted: the response has no content, or no count of tokens, without which it has no price.
    """
    what = "no answer"
    try:
        text = "".join(block.text for block in message.content if block.type == "text")
        stop = message.stop_reason or "end_turn"
        what = "no count of tokens"
        usage = usage_of(message.usage)
    except (AttributeError, TypeError):
        raise uncounted("anthropic", model, what, PROTOCOL) from None
    return checked(Answer(text, stop, usage, headers), "anthropic", model, PROTOCOL)


def usage_of(usage: BilledUsage) -> Usage:
    """Tokens by class; thinking is billed as output and counted there."""
    written = usage.cache_creation_input_tokens or 0
    hour = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else 0
    return Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens or 0,
        written - hour,
        hour,
        batch=usage.service_tier == "batch",
        thinking_tokens=usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0,
    )


def words_of(error: Any) -> str:
    """The service's own words."""
    inner = error.body.get("error") if isinstance(error.body, dict) else None
    said = inner.get("message") if isinstance(inner, dict) else None
    return str(said or error.message)


def too_long(error: Any) -> bool:
    """One row's prompt does not fit: that row is wrong, the others go on."""
    return bool(error.status_code == 400 and "prompt is too long" in words_of(error).lower())
